import { EINVAL, ENOMEM } from "@nopage/core";
import { mustBe, mustFail } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { AnyLaw } from "../law.ts";
import { areaAt } from "../support/accounts.ts";
import { mapAnywhere, mapAt, mustLieAs, mustRead, type Paged, writtenIsland } from "../support/own-memory.ts";
import { unmap } from "../support/reserved-range.ts";

/** What is locked, and charged for it. */
export const lockingLaws: readonly AnyLaw[] = [
  {
    id: "RC-09",
    level: "required",
    owner: ["core"],
    rule: "locked pages MUST be charged once each for as long as they are locked and mapped, and no longer; mlock of a range with a hole MUST fail with ENOMEM",
    source: "mm/mlock.c do_mlock, apply_vma_lock_flags, mlock_fixup, count_mm_mlocked_page_nr; mm/mmap.c",
    cases: [
      {
        when: "page by page, and over again",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* writtenIsland(subject, [1, 2, 3, 4]);
          const third = address + 2 * pageSize;
          mustBe("mlock of the third page", yield* user.mlock(third, pageSize), 0);
          yield* mustHaveLocked(subject, address, [0, 0, 1, 0]);
          mustBe("mlock of it again", yield* user.mlock(third, pageSize), 0);
          yield* mustHaveLocked(subject, address, [0, 0, 1, 0]);
          // A byte is as much as a page, wherever in the page it lies.
          mustBe("mlock across a border", yield* user.mlock(address + pageSize - 1, 2), 0);
          yield* mustHaveLocked(subject, address, [3, 3, 3, 0]);
          mustBe("munlock of the second page", yield* user.munlock(address + pageSize, pageSize), 0);
          yield* mustHaveLocked(subject, address, [1, 0, 1, 0]);
          mustBe("munlock of it again", yield* user.munlock(address + pageSize, pageSize), 0);
          mustBe("mlock of nothing", yield* user.mlock(address + pageSize, 0), 0);
          mustBe("munlock of nothing", yield* user.munlock(address, 0), 0);
          yield* mustHaveLocked(subject, address, [1, 0, 1, 0]);
          // The length is counted from the beginning of the page.
          mustBe("mlock of nothing inside a page", yield* user.mlock(address + pageSize + 8, 0), 0);
          yield* mustHaveLocked(subject, address, [3, 3, 3, 0]);
          mustBe("munlock of all", yield* user.munlock(address, 4 * pageSize), 0);
          yield* mustHaveLocked(subject, address, [0, 0, 0, 0]);
          yield* mustLieAs(subject, "what is all unlocked", address, 4, [[0, 4]]);
          yield* mustRead(subject, "the memory", address, [1, 2, 3, 4]);
        },
      },
      {
        when: "what goes away",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* mapAnywhere(subject, 4, { locking: "locked" });
          mustBe("VmLck of MAP_LOCKED", (yield* user.memoryStatus()).locked, 4);
          mustBe("munmap of a page", yield* user.munmap(address, pageSize), 0);
          mustBe("VmLck without it", (yield* user.memoryStatus()).locked, 3);
          const middle = address + pageSize;
          mustBe("mmap over a page", yield* mapAt(subject, middle, 1), middle);
          mustBe("VmLck without what was mapped over", (yield* user.memoryStatus()).locked, 2);
          mustBe("munmap of all", yield* user.munmap(address, 4 * pageSize), 0);
          mustBe("VmLck in the end", (yield* user.memoryStatus()).locked, 0);
        },
      },
      {
        when: "new memory that becomes one with locked memory",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* writtenIsland(subject, [0], 2);
          mustBe("mlock", yield* user.mlock(address, pageSize), 0);
          const behind = address + pageSize;
          mustBe("MAP_LOCKED behind it", yield* mapAt(subject, behind, 1, { locking: "locked" }), behind);
          yield* mustLieAs(subject, "both", address, 2, [[0, 2]]);
          mustBe("Locked of both", (yield* areaAt(address)).locked, 2);
          mustBe("VmLck", (yield* user.memoryStatus()).locked, 2);
          mustBe("what is there of both", yield* user.pagemap(address, 2), [true, true]);
        },
      },
      {
        when: "a range with a hole, and what is no range",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const { pageSize, wordBits } = subject;
          const address = yield* writtenIsland(subject, [1, 2, 3]);
          yield* unmap(subject, address + pageSize, 1);
          mustFail("mlock across a hole", yield* user.mlock(address, 3 * pageSize), ENOMEM);
          mustFail("munlock across a hole", yield* user.munlock(address, 3 * pageSize), ENOMEM);
          mustBe("VmLck", (yield* user.memoryStatus()).locked, 0);
          mustFail("mlock of a hole", yield* user.mlock(address + pageSize, pageSize), ENOMEM);
          const beyond = 2 ** wordBits - address - pageSize;
          mustFail("mlock of more than there can be", yield* user.mlock(address, beyond), ENOMEM);
          mustFail("munlock of a range that wraps", yield* user.munlock(address, -pageSize), EINVAL);
          const none = 2 ** wordBits - 2048;
          mustBe(
            "munlock of a length that is none when it is rounded up",
            yield* user.munlock(address, none),
            0,
          );
          mustBe("VmLck", (yield* user.memoryStatus()).locked, 0);
        },
      },
      {
        when: "up to the limit, what is locked already counted once",
        schedule: "sequential",
        kinds: "one",
        executor: "model",
        machine: { lockLimitPages: 3 },
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* writtenIsland(subject, [1, 2, 3, 4]);
          mustBe("mlock of two pages", yield* user.mlock(address + pageSize, 2 * pageSize), 0);
          mustFail("mlock of all four", yield* user.mlock(address, 4 * pageSize), ENOMEM);
          mustBe("VmLck after the refusal", (yield* user.memoryStatus()).locked, 2);
          mustBe("mlock of three of which two are locked", yield* user.mlock(address, 3 * pageSize), 0);
          mustBe("VmLck", (yield* user.memoryStatus()).locked, 3);
          mustBe("munlock of all", yield* user.munlock(address, 4 * pageSize), 0);
          mustBe("VmLck", (yield* user.memoryStatus()).locked, 0);
        },
      },
    ],
  },
];

/** What smaps shows as locked of the area of each page, and VmLck of all pages for which that is not 0. */
function* mustHaveLocked({ pageSize }: Paged, address: number, locked: readonly number[]): Steps<void> {
  const seen: number[] = [];
  for (const page of locked.keys()) seen.push((yield* areaAt(address + page * pageSize)).locked);
  mustBe("Locked of the area of each page", seen, locked);
  mustBe("VmLck", (yield* user.memoryStatus()).locked, locked.filter((pages) => pages > 0).length);
}
