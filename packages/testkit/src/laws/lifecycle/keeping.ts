import { EINVAL, VM_READ } from "@nopage/core";
import { mustBe, mustFail, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { Subject } from "../../subject/subject.ts";
import type { AnyLaw } from "../law.ts";
import { areaAt } from "../support/accounts.ts";
import { countsOf, mustHaveRun } from "../support/hook-counts.ts";
import {
  islandOf,
  mapAt,
  mustLieAs,
  mustRead,
  type Paged,
  READ_WRITE,
  write,
  writtenIsland,
} from "../support/own-memory.ts";
import { mustShow, mustShowAgain } from "../support/shown-pages.ts";
import { canGrow, cannotGrow } from "./resizing.ts";

/** What becomes of the place that mremap moves from without unmapping it. */
export const keepingLaws: readonly AnyLaw[] = [
  {
    id: "LC-17",
    level: "required",
    owner: ["core"],
    rule: "mremap that keeps the old range MUST be refused with EINVAL for a mapping of a fixed size; otherwise the old range MUST go on showing the object where a touch brings its pages, or zeros where they were private",
    source: "mm/mremap.c vma_to_resize (MREMAP_DONTUNMAP)",
    cases: [
      {
        when: "a fixed size",
        schedule: "sequential",
        excluded: canGrow,
        *program({ subject }) {
          const { pages } = subject;
          const address = yield* succeed("mmap", subject.map());
          mustFail("mremap that keeps the old range", yield* user.mremap(keeping(subject, address)), EINVAL);
          yield* mustShow(subject, "the mapping", { address, first: 0, pages });
        },
      },
      {
        when: "any size",
        schedule: "sequential",
        excluded: cannotGrow,
        *program({ subject }) {
          const { pages } = subject;
          const address = yield* succeed("mmap", subject.map());
          yield* mustShow(subject, "the mapping", { address, first: 0, pages });
          const before = yield* countsOf(subject);
          const moving = user.mremap(keeping(subject, address));
          const moved = yield* succeed("mremap that keeps the old range", moving);
          if (subject.counts !== undefined) {
            yield* mustHaveRun(subject, "a move that keeps the old range", before, { opens: 1, closes: 0 });
          }
          yield* mustShow(subject, "the new place", { address: moved, first: 0, pages });
          yield* mustShowAgain(subject, "the old place", { address, first: 0, pages });
        },
      },
      {
        when: "private memory, whole",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* islandOf(subject, 3);
          for (const page of [0, 2]) {
            const at = address + page * pageSize;
            mustBe("mmap", yield* mapAt(subject, at, 1), at);
          }
          yield* write(subject, address, [1, 0, 3]);
          const { size } = yield* user.memoryStatus();
          const moved = yield* keepAt(subject, address, 1, address + pageSize);
          mustBe("what it adds to VmSize", (yield* user.memoryStatus()).size - size, 1);
          yield* mustRead(subject, "the island", address, [0, 1, 3]);
          mustBe("a store to the old place", yield* user.store(address, 9), undefined);
          yield* mustRead(subject, "the island", address, [9, 1, 3]);
          mustBe("munmap of the new place", yield* user.munmap(moved, pageSize), 0);
          yield* mustRead(subject, "the old place", address, [9]);
        },
      },
      {
        when: "private memory, in part",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* writtenIsland(subject, [1, 2, 3]);
          const place = yield* islandOf(subject, 1);
          yield* keepAt(subject, address + pageSize, 1, place);
          yield* mustRead(subject, "the new place", place, [2]);
          yield* mustRead(subject, "the old place", address, [1, 0, 3]);
          yield* mustLieAs(subject, "the old place", address, 3, [[0, 3]]);
        },
      },
      {
        when: "memory that was never touched, to a place beside it",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* islandOf(subject, 3);
          for (const page of [0, 2]) {
            const at = address + page * pageSize;
            mustBe("mmap", yield* mapAt(subject, at, 1), at);
          }
          yield* keepAt(subject, address, 1, address + pageSize);
          const apart = [
            [0, 1],
            [1, 2],
            [2, 3],
          ] as const;
          yield* mustLieAs(subject, "both places and what is behind them", address, 3, apart);
          yield* write(subject, address, [1, 2, 3]);
          yield* mustRead(subject, "all of them", address, [1, 2, 3]);
          yield* user.munmap(address, 3 * pageSize);
          mustBe("mmap", yield* mapAt(subject, address + pageSize, 1), address + pageSize);
          yield* keepAt(subject, address + pageSize, 1, address);
          const before = [
            [0, 1],
            [1, 2],
          ] as const;
          yield* mustLieAs(subject, "a place before the old one", address, 2, before);
        },
      },
      {
        when: "memory whose pages have all gone may become one with any neighbour",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* islandOf(subject, 3);
          for (const page of [0, 2, 1]) {
            const at = address + page * pageSize;
            mustBe("mmap", yield* mapAt(subject, at, 1), at);
            if (page !== 1) yield* write(subject, at, [page + 1]);
          }
          const apart = [
            [0, 1],
            [1, 3],
          ] as const;
          yield* mustLieAs(subject, "pages that were written apart", address, 3, apart);
          yield* keepAt(subject, address, 1, yield* islandOf(subject, 1));
          mustBe("mprotect for reading", yield* user.mprotect(address, pageSize, VM_READ), 0);
          mustBe("mprotect for writing", yield* user.mprotect(address, pageSize, READ_WRITE), 0);
          yield* mustLieAs(subject, "what is left with it", address, 3, [[0, 3]]);
          yield* mustRead(subject, "what is left", address, [0, 0, 3]);
        },
      },
      {
        when: "locked memory",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* writtenIsland(subject, [1, 2]);
          const place = yield* islandOf(subject, 2);
          mustBe("mlock", yield* user.mlock(address, 2 * pageSize), 0);
          yield* keepAt(subject, address, 2, place);
          mustBe("Locked of the new place", (yield* areaAt(place)).locked, 2);
          mustBe("Locked of the old place", (yield* areaAt(address)).locked, 0);
          mustBe("VmLck", (yield* user.memoryStatus()).locked, 2);
          yield* mustRead(subject, "the new place", place, [1, 2]);
          mustBe("munmap of the new place", yield* user.munmap(place, 2 * pageSize), 0);
          mustBe("VmLck without it", (yield* user.memoryStatus()).locked, 0);
        },
      },
    ],
  },
];

function keeping({ pages, pageSize }: Subject, address: number) {
  const length = pages * pageSize;
  return { address, oldLength: length, newLength: length, moving: "may-move", oldRange: "keep" } as const;
}

/** Moves `pages` pages to a place and keeps the old one, which must succeed: the place. */
function* keepAt({ pageSize }: Paged, address: number, pages: number, newAddress: number): Steps<number> {
  const length = pages * pageSize;
  const request = { address, oldLength: length, newLength: length, moving: "may-move" } as const;
  const moved = yield* user.mremap({ ...request, oldRange: "keep", newAddress });
  mustBe("mremap that keeps the old range", moved, newAddress);
  return moved;
}
