import { EFAULT, EINVAL, ENOMEM, sigbus, VM_READ } from "@nopage/core";
import { mustBe, mustFail, SIGSEGV_ACCERR, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import { countsNothing } from "../bare-frames/bare-frames.ts";
import type { AnyLaw } from "../law.ts";
import { mustHaveFaulted } from "../support/accounts.ts";
import { forked } from "../support/forked.ts";
import { gateOf, waitsAtNoGate } from "../support/gate-of.ts";
import { ownDevice } from "../support/own-device.ts";
import { islandOf, mapAnywhere, mapAt, mustRead, write, writtenIsland } from "../support/own-memory.ts";
import { mustBeUnmapped, mustShow } from "../support/shown-pages.ts";

const ALL = [true, true, true];
const NONE = [false, false, false];

/** Pages that are made before anybody touches them. */
export const populatingLaws: readonly AnyLaw[] = [
  {
    id: "MM-12",
    level: "required",
    owner: ["core"],
    rule: "MAP_POPULATE, MAP_LOCKED, mlock and MADV_POPULATE MUST make every page that can be had before they return; for one that cannot be had, mmap MUST succeed all the same, and the others MUST say why",
    source:
      "mm/gup.c __mm_populate, populate_vma_page_range, faultin_page_range; mm/mlock.c __mlock_posix_error_return",
    cases: [
      {
        when: "private and shared memory",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          for (const sharing of ["private", "shared"] as const) {
            for (const how of [{ populating: "populate" }, { locking: "locked" }] as const) {
              const address = yield* mapAnywhere(subject, 3, { sharing, ...how });
              mustBe(`what is there of ${sharing} memory`, yield* user.pagemap(address, 3), ALL);
              const faults = yield* user.faults();
              if (sharing === "private") yield* write(subject, address, [1, 2, 3]);
              else yield* mustRead(subject, "the memory", address, [0, 0, 0]);
              yield* mustHaveFaulted(`touching ${sharing} memory`, faults, { minor: 0, major: 0 });
            }
          }
        },
      },
      {
        when: "memory that nobody may touch",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const { pageSize } = subject;
          for (const how of [{ populating: "populate" }, { locking: "locked" }] as const) {
            const address = yield* mapAnywhere(subject, 3, { protection: 0, ...how });
            mustBe("what is there of it", yield* user.pagemap(address, 3), NONE);
            mustFail("mlock", yield* user.mlock(address, 3 * pageSize), ENOMEM);
            mustFail("MADV_POPULATE_READ", yield* user.madvise(address, pageSize, "populate-read"), EINVAL);
            mustBe("a load", yield* user.load(address), SIGSEGV_ACCERR);
          }
        },
      },
      {
        when: "memory for reading",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* mapAnywhere(subject, 3, { protection: VM_READ, populating: "populate" });
          mustBe("what is there of it", yield* user.pagemap(address, 3), ALL);
          const writing = user.madvise(address, 3 * pageSize, "populate-write");
          mustFail("MADV_POPULATE_WRITE", yield* writing, EINVAL);
        },
      },
      {
        when: "advice on what is there, partly there, and not mapped",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* writtenIsland(subject, [0, 7, 0], 4);
          const reading = user.madvise(address, 3 * pageSize, "populate-read");
          mustBe("MADV_POPULATE_READ", yield* reading, 0);
          mustBe("what is there of it", yield* user.pagemap(address, 3), ALL);
          // The pages of zeros that were only read have to be made again for writing.
          mustBe("MADV_POPULATE_WRITE", yield* user.madvise(address, 3 * pageSize, "populate-write"), 0);
          const faults = yield* user.faults();
          yield* mustRead(subject, "the memory", address, [0, 7, 0]);
          yield* write(subject, address, [1, 2, 3]);
          yield* mustHaveFaulted("stores afterwards", faults, { minor: 0, major: 0 });
          const tail = user.madvise(address + 2 * pageSize, 2 * pageSize, "populate-read");
          mustFail("MADV_POPULATE_READ of a range with a hole", yield* tail, ENOMEM);
        },
      },
      {
        when: "a page that the driver has not",
        schedule: "sequential",
        kinds: "one",
        executor: "model",
        *program({ subject: { pageSize } }) {
          const device = yield* ownDevice({
            ops: ({ kernel, pages }) => ({
              nopage({ pgoff }) {
                const page = pages[pgoff];
                return page === undefined || pgoff === 1 ? sigbus : kernel.pages.handOver(page);
              },
            }),
          });
          const { address } = yield* device.mapped({ populating: "populate" });
          // The first error ends it for the area (`__mm_populate`).
          mustBe("what is there of it", yield* user.pagemap(address, 4), [true, false, false, false]);
          mustFail("mlock", yield* user.mlock(address, 4 * pageSize), ENOMEM);
          mustFail("MADV_POPULATE_READ", yield* user.madvise(address, 4 * pageSize, "populate-read"), EFAULT);
          const rest = user.madvise(address + 2 * pageSize, 2 * pageSize, "populate-read");
          mustBe("MADV_POPULATE_READ of the others", yield* rest, 0);
          mustBe("what is there in the end", yield* user.pagemap(address, 4), [true, false, true, true]);
          mustBe("munmap", yield* user.munmap(address, 4 * pageSize), 0);
          yield* device.release();
        },
      },
      ...(["MAP_POPULATE", "mlock", "MADV_POPULATE_READ"] as const).map((how) => ({
        when: `killed in the middle of ${how}`,
        schedule: "sequential" as const,
        kinds: "one" as const,
        executor: "model" as const,
        *program({
          subject: { pageSize },
        }: {
          readonly subject: { readonly pageSize: number };
        }): Steps<void> {
          let asked = 0;
          let kill = () => {};
          const device = yield* ownDevice({
            ops: ({ kernel, pages }) => ({
              nopage({ pgoff }) {
                asked++;
                kill();
                const page = pages[pgoff];
                return page === undefined ? sigbus : kernel.pages.handOver(page);
              },
            }),
          });
          yield* forked(function* () {
            yield* user.kernel(function* ({ thread }) {
              kill = () => thread.process.kill("SIGKILL");
            });
            const { address } = yield* device.mapped(
              how === "MAP_POPULATE" ? { populating: "populate" } : {},
            );
            if (how === "mlock") yield* user.mlock(address, 4 * pageSize);
            else yield* user.madvise(address, 4 * pageSize, "populate-read");
          });
          mustBe("pages that the driver was asked for", asked, 1);
          yield* device.release();
        },
      })),
      {
        when: "a page that nobody may touch any more by then",
        schedule: "racy",
        kinds: "one",
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* islandOf(subject, 3);
          const protector = yield* user.thread(function* () {
            yield* user.mprotect(address + pageSize, pageSize, 0);
          }, "protector");
          const mapped = yield* mapAt(subject, address, 3, { populating: "populate" });
          mustBe("mmap", mapped, address);
          const [below, , above] = yield* user.pagemap(address, 3);
          mustBe("whether the pages beside it are there", [below, above], [true, true]);
          yield* user.join(protector);
        },
      },
      {
        when: "a range that loses pages while it waits",
        schedule: "sequential",
        excluded: (stage) => waitsAtNoGate(stage) ?? countsNothing(stage) ?? hasHoles(stage),
        *program({ subject }) {
          const { pages, pageSize } = subject;
          const address = yield* islandOf(subject, pages);
          mustBe("mmap", yield* subject.map({ fixedAt: address }), address);
          yield* gateOf(subject).close();
          let answer = 1;
          const locker = yield* user.thread(function* () {
            answer = yield* user.mlock(address, pages * pageSize);
          }, "locker");
          yield* user.settle();
          mustBe("who locks a closed object", yield* user.stateOf(locker), "blocked");
          for (const page of [1, pages - 1]) {
            mustBe("munmap", yield* user.munmap(address + page * pageSize, pageSize), 0);
          }
          yield* gateOf(subject).open();
          yield* user.join(locker);
          mustBe("mlock", answer, 0);
          const there = Array.from({ length: pages }, (_, page) => page !== 1 && page !== pages - 1);
          mustBe("what is there of it", yield* user.pagemap(address, pages), there);
          yield* mustBeUnmapped(subject, "what went", address + pageSize, 1);
        },
      },
      {
        when: "advice that waits",
        schedule: "sequential",
        excluded: (stage) => waitsAtNoGate(stage) ?? countsNothing(stage) ?? hasHoles(stage),
        *program({ subject }) {
          const { pages, pageSize } = subject;
          const address = yield* succeed("mmap", subject.map());
          yield* gateOf(subject).close();
          let answer = 1;
          const adviser = yield* user.thread(function* () {
            answer = yield* user.madvise(address, pages * pageSize, "populate-read");
          }, "adviser");
          yield* user.settle();
          mustBe("who wants pages of a closed object", yield* user.stateOf(adviser), "blocked");
          yield* gateOf(subject).open();
          yield* user.join(adviser);
          mustBe("MADV_POPULATE_READ", answer, 0);
          const there = Array.from({ length: pages }, () => true);
          mustBe("what is there of it", yield* user.pagemap(address, pages), there);
          yield* mustShow(subject, "the mapping", { address, first: 0, pages });
        },
      },
    ],
  },
];

function hasHoles({
  subject,
}: {
  readonly subject: { readonly holes: readonly number[] };
}): string | undefined {
  return subject.holes.length > 0 ? "it has holes" : undefined;
}
