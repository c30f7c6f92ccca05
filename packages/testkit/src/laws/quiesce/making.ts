import { EAGAIN, EBUSY } from "@nopage/core";
import { inWords, must, mustBe, SIGSEGV_MAPERR, succeed } from "../../program/expect.ts";
import type { Actor, Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { Subject } from "../../subject/subject.ts";
import type { AnyLaw } from "../law.ts";
import { countEntries, objectAt } from "../support/entries-showing.ts";
import {
  A_WHILE,
  endApart,
  gateOf,
  hasNoGate,
  Moment,
  mustHoldOff,
  mustShowAll,
  type Touch,
} from "../support/taking-away.ts";
import { visitingCases } from "./every-area.ts";

const READ = 1;

/** A place that a mapping of the whole object can be moved to. */
function* placeFor({ pages, pageSize }: Subject): Steps<number> {
  const request = { length: pages * pageSize, protection: READ, sharing: "private" } as const;
  return yield* succeed("mmap of a place to move to", user.mmap(request));
}

/** A thread that takes the object away and gives it back, while others go on. */
function* ownerOf(subject: Subject, moment: Moment): Steps<Actor> {
  return yield* user.thread(function* () {
    yield* moment.close(subject);
    yield* moment.open(subject);
  }, "owner");
}

/** Moves a mapping of the whole object to such a place. */
function* moveTo({ pages, pageSize }: Subject, address: number, newAddress: number): Steps<number> {
  const length = pages * pageSize;
  return yield* succeed(
    "mremap",
    user.mremap({ address, oldLength: length, newLength: length, moving: "may-move", newAddress }),
  );
}

function* joinAll(actors: readonly { readonly actor: Actor }[]): Steps<void> {
  for (const { actor } of actors) yield* user.join(actor);
}

/** What may be made of the object while it is taken away, and in which order locks are taken to take it away. */
export const makingLaws: readonly AnyLaw[] = [
  {
    id: "QU-09",
    level: "required",
    owner: ["strategy"],
    rule: "mmap, fork and mremap meanwhile MUST NOT give anybody a way in: they fail with EAGAIN or EBUSY, or what they make works only afterwards",
    source: "vfio_pci_mmap_open; drivers/infiniband/core/ib_core_uverbs.c rdma_umap_open",
    cases: [
      {
        when: "mmap",
        schedule: "sequential",
        excluded: hasNoGate,
        *program({ subject }) {
          yield* gateOf(subject).close();
          const address = yield* subject.map();
          const isEager = subject.supports.populate === "eager";
          const touches: Touch[] = [];
          if (address >= 0 && !isEager) touches.push(...(yield* mustHoldOff(subject, "it", address)));
          else {
            must(
              address === -EAGAIN || address === -EBUSY,
              `mmap meanwhile answers ${inWords(address)}, and must ${isEager ? "" : "succeed or "}fail with EAGAIN or EBUSY`,
            );
          }
          yield* gateOf(subject).open();
          yield* joinAll(touches);
          const usable = address >= 0 ? address : yield* succeed("mmap afterwards", subject.map());
          yield* mustShowAll(subject, "afterwards", usable);
        },
      },
      {
        when: "fork",
        schedule: "sequential",
        excluded: hasNoGate,
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          yield* mustShowAll(subject, "before", address);
          yield* gateOf(subject).close();
          let isGivenBack = false;
          const child = yield* user.fork(function* () {
            const touches = yield* mustHoldOff(subject, "the child's mapping", address);
            yield* joinAll(touches);
            while (!isGivenBack) yield* user.sleep(A_WHILE);
            yield* mustShowAll(subject, "the child afterwards", address);
          });
          yield* user.settle();
          yield* user.settle();
          yield* gateOf(subject).open();
          isGivenBack = true;
          if (typeof child !== "number") yield* user.join(child);
        },
      },
      {
        when: "mremap",
        schedule: "sequential",
        excluded: hasNoGate,
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          yield* mustShowAll(subject, "before", address);
          yield* gateOf(subject).close();
          const moved = yield* moveTo(subject, address, yield* placeFor(subject));
          const touches = yield* mustHoldOff(subject, "the moved mapping", moved);
          yield* gateOf(subject).open();
          yield* joinAll(touches);
          yield* mustShowAll(subject, "the moved mapping afterwards", moved);
          mustBe("a load from the old place", yield* user.load(address), SIGSEGV_MAPERR);
        },
      },
      {
        when: "the page tables",
        schedule: "sequential",
        executor: "model",
        excluded: hasNoGate,
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          yield* mustShowAll(subject, "before", address);
          const object = yield* objectAt(address);
          const mustBeNone = function* (after: string): Steps<void> {
            mustBe(
              `the number of entries after ${after}, the object being taken away,`,
              yield* countEntries(object),
              0,
            );
          };
          yield* gateOf(subject).close();
          yield* mustBeNone("nothing else");
          yield* subject.map();
          yield* mustBeNone("mmap");
          const child = yield* user.fork(function* () {});
          yield* mustBeNone("fork");
          yield* moveTo(subject, address, yield* placeFor(subject));
          yield* mustBeNone("mremap");
          yield* gateOf(subject).open();
          if (typeof child !== "number") yield* user.join(child);
        },
      },
      {
        when: "mremap at any moment",
        schedule: "racy",
        excluded: hasNoGate,
        *program({ subject }) {
          const moment = new Moment();
          const address = yield* succeed("mmap", subject.map());
          const place = yield* placeFor(subject);
          const owner = yield* ownerOf(subject, moment);
          const moved = yield* moveTo(subject, address, place);
          yield* moment.touch(subject, moved, 0);
          yield* user.join(owner);
          yield* mustShowAll(subject, "the moved mapping afterwards", moved);
        },
      },
      {
        when: "fork at any moment",
        schedule: "racy",
        excluded: hasNoGate,
        *program({ subject }) {
          const moment = new Moment();
          const address = yield* succeed("mmap", subject.map());
          yield* moment.touch(subject, address, 0);
          const owner = yield* ownerOf(subject, moment);
          const child = yield* user.fork(function* () {
            yield* moment.touch(subject, address, 0);
            yield* endApart();
          });
          yield* user.join(owner);
          if (typeof child !== "number") yield* user.join(child);
          yield* mustShowAll(subject, "afterwards", address);
        },
      },
    ],
  },
  {
    id: "QU-11",
    level: "required",
    owner: ["strategy"],
    rule: "locks MUST be taken in the order of the mmap lock, the driver's list of areas, its gate: taking the object away MUST NOT stop for ever, whatever processes do with it",
    source: "vfio_pci_zap_and_vma_lock; drivers/infiniband/core/uverbs_main.c uverbs_user_mmap_disassociate",
    cases: [
      {
        when: "",
        schedule: "racy",
        excluded: hasNoGate,
        *program({ subject }) {
          const moment = new Moment();
          const other = yield* user.process(function* () {
            const address = yield* subject.map();
            if (address < 0) return;
            yield* moment.touch(subject, address, 0);
            yield* succeed("munmap", user.munmap(address, subject.pages * subject.pageSize));
            yield* endApart();
          }, "other");
          yield* moment.close(subject);
          yield* moment.open(subject);
          yield* user.join(other);
        },
      },
      ...visitingCases,
    ],
  },
];
