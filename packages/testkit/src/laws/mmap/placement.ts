import { EEXIST, EINVAL, ENOMEM } from "@nopage/core";
import { must, mustBe, mustFail, mustSucceed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { AnyLaw } from "../law.ts";
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

/** Where mmap puts a mapping. */
export const placementLaws: readonly AnyLaw[] = [
  {
    id: "MM-11",
    level: "required",
    owner: ["core"],
    rule: "a place that must be taken MUST be taken whatever lies there, or refused with EEXIST where that was asked for; one that is only wished for MUST be taken if it is free, and MUST NOT cost anybody a page if it is not",
    source: "mm/mmap.c do_mmap, get_unmapped_area, round_hint_to_min; mmap(2) MAP_FIXED, MAP_FIXED_NOREPLACE",
    cases: [
      {
        when: "a place that no mapping can have",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const { pageSize, wordBits } = subject;
          const address = yield* writtenIsland(subject, [1, 2]);
          const before = yield* user.memoryStatus();
          const end = 2 ** wordBits;
          for (const placement of ["fixed", "fixed-noreplace"] as const) {
            const request = { protection: READ_WRITE, sharing: "private", placement } as const;
            const inside = { ...request, address: address + 8, length: pageSize };
            mustFail(`${placement}, inside a page`, yield* user.mmap(inside), EINVAL);
            const beyond = { ...request, address: end - 2 * pageSize, length: pageSize };
            mustFail(`${placement}, beyond the address space`, yield* user.mmap(beyond), ENOMEM);
            const across = { ...request, address, length: end - address - 16 * pageSize };
            mustFail(`${placement}, across the end of the address space`, yield* user.mmap(across), ENOMEM);
          }
          const long = { length: end - 16 * pageSize, protection: 0, sharing: "private" } as const;
          mustFail("longer than the address space", yield* user.mmap(long), ENOMEM);
          mustBe("the memory of the process", yield* user.memoryStatus(), before);
          yield* mustRead(subject, "the memory", address, [1, 2]);
        },
      },
      {
        when: "a place where something lies",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* writtenIsland(subject, [1, 2, 3, 4], 6);
          const { size } = yield* user.memoryStatus();
          for (const [first, pages] of [
            [0, 1],
            [1, 2],
            [3, 2],
          ] as const) {
            const at = address + first * pageSize;
            const answer = yield* mapNowhereElse(subject, at, pages);
            mustFail(`MAP_FIXED_NOREPLACE of ${pages} pages over page ${first}`, answer, EEXIST);
          }
          yield* mustRead(subject, "the memory", address, [1, 2, 3, 4]);
          const behind = address + 4 * pageSize;
          mustBe("MAP_FIXED_NOREPLACE behind it", yield* mapNowhereElse(subject, behind, 1), behind);
          const middle = address + pageSize;
          mustBe(
            "MAP_FIXED over the middle",
            yield* mapAt(subject, middle, 2, { sharing: "shared" }),
            middle,
          );
          yield* mustRead(subject, "the memory with other memory in it", address, [1, 0, 0, 4, 0]);
          mustBe("what both add to VmSize", (yield* user.memoryStatus()).size - size, 1);
          yield* mustLieAs(subject, "the memory", address, 6, [
            [0, 1],
            [1, 3],
            [3, 5],
          ]);
        },
      },
      {
        when: "a place that is wished for",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const { pageSize, wordBits } = subject;
          const address = yield* islandOf(subject, 4);
          mustBe("a wish for free pages", yield* wish(subject, address, 2), address);
          yield* write(subject, address, [1, 2]);
          const third = address + 2 * pageSize;
          mustBe("a wish inside a free page", yield* wish(subject, third + 8, 1), third);
          yield* write(subject, third, [3]);
          const wishes: Record<string, number> = {
            "for a page that is taken": address,
            "for a page whose neighbour is taken": address - pageSize,
            "for a page where no process has memory": 2 ** wordBits - 2 * pageSize,
            "for the very first byte": 0,
            "for the first page": 8,
          };
          for (const [what, hint] of Object.entries(wishes)) {
            const elsewhere = mustSucceed(`a wish ${what}`, yield* wish(subject, hint, 2));
            mustBe(`a wish ${what}: the offset in its page`, elsewhere % pageSize, 0);
            const isApart = elsewhere + 2 * pageSize <= address || elsewhere >= third + pageSize;
            must(isApart, `a wish ${what} is granted over what was there`);
            yield* write(subject, elsewhere, [8, 9]);
          }
          yield* mustRead(subject, "what was there", address, [1, 2, 3]);
        },
      },
    ],
  },
];

function wish({ pageSize }: Paged, address: number, pages: number): Steps<number> {
  return user.mmap({ address, length: pages * pageSize, protection: READ_WRITE, sharing: "private" });
}

function mapNowhereElse({ pageSize }: Paged, address: number, pages: number): Steps<number> {
  return user.mmap({
    address,
    length: pages * pageSize,
    protection: READ_WRITE,
    sharing: "private",
    placement: "fixed-noreplace",
  });
}
