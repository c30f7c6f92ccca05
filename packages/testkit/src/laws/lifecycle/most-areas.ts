import { EAGAIN, ENOMEM, isError, VM_READ } from "@nopage/core";
import { must, mustBe, mustFail, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { AnyLaw } from "../law.ts";
import { islandOf, mapAt, mustRead, type Paged, READ_WRITE, writtenIsland } from "../support/own-memory.ts";

/** Areas that a process may have on the machines of these cases (`sysctl vm.max_map_count`). */
const MOST_AREAS = 12;
const VALUES = [41, 42, 43, 44];

/** How many areas a process may have. */
export const mostAreasLaws: readonly AnyLaw[] = [
  {
    id: "LC-25",
    level: "model-only",
    owner: ["core"],
    rule: "a process that has as many areas as it may have MUST be refused with ENOMEM, by madvise with EAGAIN, whatever would make another, and nothing else; a refusal MUST change nothing",
    source:
      "mm/mmap.c do_mmap, split_vma, do_mas_align_munmap; mm/mremap.c move_vma, mremap_to; mm/madvise.c madvise_update_vma",
    cases: [
      {
        when: "calls that would make another",
        schedule: "sequential",
        kinds: "one",
        machine: { maxAreas: MOST_AREAS },
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* writtenIsland(subject, VALUES);
          yield* fillUpTo(subject, MOST_AREAS);
          const before = yield* user.memoryStatus();
          const middle = address + pageSize;
          mustFail("munmap of a hole", yield* user.munmap(middle, pageSize), ENOMEM);
          mustFail("mprotect of a page inside", yield* user.mprotect(middle, pageSize, VM_READ), ENOMEM);
          mustFail(
            "mprotect of the last page",
            yield* user.mprotect(middle + 2 * pageSize, pageSize, VM_READ),
            ENOMEM,
          );
          mustFail("MADV_DONTFORK of a page", yield* user.madvise(middle, pageSize, "dontfork"), EAGAIN);
          mustFail("mlock of a page", yield* user.mlock(middle, pageSize), ENOMEM);
          mustFail(
            "a mapping over a page inside",
            yield* mapAt(subject, middle, 1, { protection: 0 }),
            ENOMEM,
          );
          mustBe("the memory of the process", yield* user.memoryStatus(), before);
          yield* mustHaveInAll(MOST_AREAS);
          yield* mustRead(subject, "the memory", address, VALUES);
        },
      },
      {
        when: "calls that make none",
        schedule: "sequential",
        kinds: "one",
        machine: { maxAreas: MOST_AREAS },
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* writtenIsland(subject, VALUES, 5);
          yield* fillUpTo(subject, MOST_AREAS);
          mustBe("mprotect of all of it", yield* user.mprotect(address, 4 * pageSize, VM_READ), 0);
          mustBe("mprotect back", yield* user.mprotect(address, 4 * pageSize, READ_WRITE), 0);
          const grown = { address, oldLength: 4 * pageSize, newLength: 5 * pageSize };
          mustBe("growing it", yield* user.mremap(grown), address);
          mustBe(
            "shrinking it",
            yield* user.mremap({ ...grown, oldLength: 5 * pageSize, newLength: 4 * pageSize }),
            address,
          );
          mustBe("munmap of the first page", yield* user.munmap(address, pageSize), 0);
          mustBe("munmap of the last page", yield* user.munmap(address + 3 * pageSize, pageSize), 0);
          yield* mustHaveInAll(MOST_AREAS);
          yield* mustRead(subject, "what is left of the memory", address + pageSize, VALUES.slice(1, 3));
        },
      },
      {
        when: "mmap",
        schedule: "sequential",
        kinds: "one",
        machine: { maxAreas: MOST_AREAS },
        *program({ subject }) {
          yield* fillUpTo(subject, MOST_AREAS);
          // One more than the limit says: the kernel looks before it makes the area.
          const address = yield* succeed("the mmap that makes one too many", mapApart(subject));
          mustFail("mmap after that", yield* mapApart(subject), ENOMEM);
          yield* mustHaveInAll(MOST_AREAS + 1);
          mustBe("munmap", yield* user.munmap(address, subject.pageSize), 0);
          yield* succeed("mmap after munmap", mapApart(subject));
        },
      },
      {
        when: "mremap",
        schedule: "sequential",
        kinds: "one",
        machine: { maxAreas: MOST_AREAS },
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* writtenIsland(subject, VALUES, 5);
          const wall = address + 4 * pageSize;
          mustBe("mmap of what is in its way", yield* mapAt(subject, wall, 1, { protection: 0 }), wall);
          const target = yield* islandOf(subject, 5);
          mustBe("mmap of what is in its place", yield* mapAt(subject, target, 1, { protection: 0 }), target);
          const grown = {
            address,
            oldLength: 4 * pageSize,
            newLength: 5 * pageSize,
            moving: "may-move",
          } as const;
          // Room for all the areas that a move may make for a while is asked for before anything is touched.
          yield* fillUpTo(subject, MOST_AREAS - 5);
          mustFail(
            "a move to a place of one's choice",
            yield* user.mremap({ ...grown, newAddress: target }),
            ENOMEM,
          );
          yield* fillUpTo(subject, MOST_AREAS - 3);
          mustFail("growing by a move", yield* user.mremap(grown), ENOMEM);
          yield* mustHaveInAll(MOST_AREAS - 3);
          yield* mustRead(subject, "the memory", address, VALUES);
          mustBe("munmap of what is in its way", yield* user.munmap(wall, pageSize), 0);
          const moved = yield* succeed(
            "a move with room",
            user.mremap({ ...grown, oldLength: pageSize, newLength: 2 * pageSize }),
          );
          yield* mustRead(subject, "what has moved", moved, [41, 0]);
          yield* mustRead(subject, "what has stayed", address + pageSize, VALUES.slice(1));
        },
      },
    ],
  },
];

/** Maps single pages that nothing can be merged with until the process has so many areas. */
function* fillUpTo(subject: Paged, areas: number): Steps<void> {
  while ((yield* user.smaps()).length < areas) {
    const answer = yield* mapApart(subject);
    must(!isError(answer), `mmap is refused to a process with fewer than ${areas} areas`);
  }
}

function* mapApart(subject: Paged): Steps<number> {
  const room = yield* user.mmap({ length: 3 * subject.pageSize, protection: 0, sharing: "shared" });
  if (isError(room)) return room;
  for (const page of [0, 2])
    mustBe("munmap beside it", yield* user.munmap(room + page * subject.pageSize, subject.pageSize), 0);
  return room + subject.pageSize;
}

function* mustHaveInAll(areas: number): Steps<void> {
  mustBe("the number of areas of the process", (yield* user.smaps()).length, areas);
}
