import { mustBe, SIGBUS, succeed } from "../../program/expect.ts";
import { user } from "../../program/user.ts";
import type { AnyLaw } from "../law.ts";
import {
  A_WHILE,
  doesNotRaise,
  doesNotWait,
  endApart,
  gateOf,
  hasNoGate,
  Moment,
  mustHoldOff,
  mustShowAll,
  startTouch,
} from "../support/taking-away.ts";
import { overgivenCase } from "./every-area.ts";
import { recheckCases } from "./recheck.ts";

/** Virtual nanoseconds from the start of a program until the object has been taken away. */
const BY_THEN = 1000;

/** What a touch of the object meets while it is taken away, and afterwards. */
export const promiseLaws: readonly AnyLaw[] = [
  {
    id: "QU-01",
    level: "required",
    owner: ["strategy"],
    rule: "when the object is taken away, no process, forked children included, MUST reach it until it is given back",
    source: "drivers/vfio/pci/vfio_pci_core.c vfio_pci_zap_and_vma_lock; mail of 1998",
    cases: [
      {
        when: "by a process, its child and a stranger",
        schedule: "sequential",
        excluded: hasNoGate,
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          yield* mustShowAll(subject, "before", address);
          let isGivenBack = false;
          const touchAgain = function* (at: number) {
            yield* mustShowAll(subject, "before", at);
            yield* user.sleep(BY_THEN);
            const touches = yield* mustHoldOff(subject, "it", at);
            for (const { actor } of touches) yield* user.join(actor);
            while (!isGivenBack) yield* user.sleep(A_WHILE);
            yield* mustShowAll(subject, "afterwards", at);
          };
          const child = yield* user.fork(() => touchAgain(address));
          const stranger = yield* user.process(function* () {
            yield* touchAgain(yield* succeed("mmap", subject.map()));
          });
          yield* user.sleep(BY_THEN / 2);
          yield* gateOf(subject).close();
          yield* mustHoldOff(subject, "it", address);
          // The others have a look for as long as this one had.
          yield* user.settle();
          yield* gateOf(subject).open();
          isGivenBack = true;
          for (const actor of [child, stranger]) if (typeof actor !== "number") yield* user.join(actor);
        },
      },
      {
        // What threads of one process may meet, the programs of QU-02 show.
        when: "while a child touches it",
        schedule: "racy",
        excluded: hasNoGate,
        *program({ subject }) {
          const moment = new Moment();
          const address = yield* succeed("mmap", subject.map());
          yield* moment.touch(subject, address, 0);
          const child = yield* user.fork(function* () {
            yield* moment.touch(subject, address, 0);
            yield* endApart();
          });
          yield* moment.close(subject);
          yield* moment.open(subject);
          if (typeof child !== "number") yield* user.join(child);
          yield* mustShowAll(subject, "afterwards", address);
        },
      },
    ],
  },
  {
    id: "QU-02",
    level: "required",
    owner: ["strategy"],
    rule: "the gate MUST close before the entries go, and a fault MUST look at it again under the lock: nothing gets through between the two",
    source: "mail of 1998; vfio_pci_mmap_fault under memory_lock",
    cases: [
      {
        when: "",
        schedule: "racy",
        excluded: hasNoGate,
        *program({ subject }) {
          const moment = new Moment();
          const address = yield* succeed("mmap", subject.map());
          // Its first touch may still be under way when the object is taken away; the second finds what that has left.
          const sibling = yield* user.thread(function* () {
            yield* moment.touch(subject, address, 0);
            yield* moment.touch(subject, address, 0);
          });
          yield* moment.takeAway(subject);
          yield* user.join(sibling);
          yield* mustShowAll(subject, "afterwards", address);
        },
      },
      ...recheckCases,
    ],
  },
  {
    id: "QU-03",
    level: "capability",
    owner: ["strategy"],
    rule: "a touch meanwhile MUST be SIGBUS with BUS_ADRERR, or wait, as is claimed; afterwards the same mapping MUST work again",
    source: "vfio_pci_mmap_fault; mail of 1998",
    cases: [
      {
        when: "it raises SIGBUS",
        schedule: "sequential",
        excluded: doesNotRaise,
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          yield* mustShowAll(subject, "before", address);
          yield* gateOf(subject).close();
          const touch = yield* startTouch(address);
          yield* user.settle();
          mustBe("a load while the object is taken away", touch.seen ?? "not over", SIGBUS);
          mustBe("a store while the object is taken away", yield* user.store(address + 8, 1), SIGBUS);
          yield* gateOf(subject).open();
          yield* mustShowAll(subject, "afterwards", address);
          mustBe("the word that was stored meanwhile", yield* user.load(address + 8), 0);
        },
      },
      {
        when: "it waits",
        schedule: "sequential",
        excluded: doesNotWait,
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          yield* mustShowAll(subject, "before", address);
          yield* gateOf(subject).close();
          const touches = yield* mustHoldOff(subject, "it", address);
          let stored: unknown = "not over";
          const storing = yield* user.thread(function* () {
            stored = yield* user.store(address + 8, 7);
          });
          yield* user.settle();
          mustBe("a store while the object is taken away", stored, "not over");
          yield* gateOf(subject).open();
          for (const { actor } of touches) yield* user.join(actor);
          yield* user.join(storing);
          yield* mustShowAll(subject, "afterwards", address);
          mustBe("the word that was stored", yield* user.load(address + 8), 7);
        },
      },
    ],
  },
  {
    id: "QU-07",
    level: "required",
    owner: ["strategy"],
    rule: "takings count: only the last giving back MUST let user space in again",
    source: "DESIGN of the gate; struct vfio's memory_lock nests the same way",
    cases: [
      {
        when: "",
        schedule: "sequential",
        excluded: hasNoGate,
        *program({ subject }) {
          const gate = gateOf(subject);
          const address = yield* succeed("mmap", subject.map());
          yield* mustShowAll(subject, "before", address);
          yield* gate.close();
          yield* gate.close();
          yield* gate.open();
          const touches = yield* mustHoldOff(subject, "it", address);
          yield* gate.open();
          for (const { actor } of touches) yield* user.join(actor);
          yield* mustShowAll(subject, "afterwards", address);
        },
      },
      {
        when: "two owners at once",
        schedule: "racy",
        excluded: hasNoGate,
        *program({ subject }) {
          const gate = gateOf(subject);
          const address = yield* succeed("mmap", subject.map());
          yield* gate.close();
          const other = yield* user.process(function* () {
            yield* gate.close();
            yield* gate.open();
            yield* endApart();
          }, "another owner");
          yield* gate.open();
          yield* user.join(other);
          yield* mustShowAll(subject, "afterwards", address);
        },
      },
      overgivenCase,
    ],
  },
  {
    id: "QU-10",
    level: "required",
    owner: ["driver", "strategy"],
    rule: "whoever reaches the object by read(2) or through /proc/PID/mem MUST meet the same gate",
    source:
      "vfio_pci_bar_rw (-EIO while memory is disabled); generic_access_phys, which needs an entry; mail of 1998",
    cases: [
      {
        when: "read(2)",
        schedule: "sequential",
        excluded: hasNoGate,
        *program({ subject }) {
          const buffer = yield* succeed(
            "mmap of a buffer",
            user.mmap({ length: subject.pageSize, protection: 3, sharing: "private" }),
          );
          const descriptor = yield* succeed("open", subject.open());
          // What cannot be read at all cannot be read meanwhile either.
          const before = yield* user.read(descriptor, buffer, 4);
          yield* gateOf(subject).close();
          let meanwhile = 0;
          const reader = yield* user.thread(function* () {
            meanwhile = yield* user.read(descriptor, buffer, 4);
          });
          yield* user.settle();
          mustBe("the bytes read while the object is taken away", Math.max(0, meanwhile), 0);
          yield* gateOf(subject).open();
          yield* user.join(reader);
          mustBe(
            "what read answers afterwards",
            Math.sign(yield* user.read(descriptor, buffer, 4)),
            Math.sign(before),
          );
        },
      },
      {
        when: "/proc/self/mem",
        schedule: "sequential",
        excluded: hasNoGate,
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          yield* mustShowAll(subject, "before", address);
          yield* gateOf(subject).close();
          let bytes = 0;
          const reader = yield* user.thread(function* () {
            const { length } = yield* user.readProcMem(address, 4);
            bytes = length;
          });
          yield* user.settle();
          mustBe("the bytes that came through /proc/self/mem while the object is taken away", bytes, 0);
          yield* gateOf(subject).open();
          yield* user.join(reader);
        },
      },
    ],
  },
];
