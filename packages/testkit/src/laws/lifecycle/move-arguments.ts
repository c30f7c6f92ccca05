import { EFAULT, EINVAL, type MremapRequest } from "@nopage/core";
import { mustBe, mustFail } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { Subject } from "../../subject/subject.ts";
import type { AnyLaw } from "../law.ts";
import { islandOf, mapAt, mustLieAs, mustRead, type Paged, write } from "../support/own-memory.ts";
import { mustBeUnmapped } from "../support/shown-pages.ts";

const VALUES = [11, 12, 13, 14];
/** Free pages below the memory that the law tries to move, and above it. */
const AROUND = 6;

/** What mremap can be asked for, and what it cannot. */
export const moveArgumentLaws: readonly AnyLaw[] = [
  {
    id: "LC-21",
    level: "required",
    owner: ["core"],
    rule: "mremap MUST refuse what makes no sense with EINVAL, and a range that is not of one area with EFAULT, and MUST leave everything as it was",
    source: "mm/mremap.c mremap, mremap_to, vma_to_resize; mremap(2)",
    cases: [
      {
        when: "what makes no sense",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          yield* mustRefuse(subject, EINVAL, senselessMoves);
        },
      },
      {
        when: "a range that is not of one area",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          yield* mustRefuse(subject, EFAULT, movesOfNoArea);
        },
      },
      {
        when: "a range that stays as it is",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* placed(subject);
          for (const moving of ["in-place", "may-move"] as const) {
            for (const pages of [1, 4]) {
              const request = { address, oldLength: pages * pageSize, newLength: pages * pageSize, moving };
              mustBe(`mremap of ${pages} pages to the same length`, yield* user.mremap(request), address);
            }
          }
          // Rounded up to pages, both lengths are the same.
          const rounded = { address, oldLength: 4 * pageSize - 5, newLength: 4 * pageSize - 9 };
          mustBe("mremap to a length of as many pages", yield* user.mremap(rounded), address);
          yield* mustBeAsPlaced(subject, "mremap to the same length", address);
        },
      },
      {
        when: "a shared mapping onto itself",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* islandOf(subject, 2);
          mustBe("mmap", yield* mapAt(subject, address, 2, { sharing: "shared" }), address);
          yield* write(subject, address, [1, 2]);
          // The place of the copy is cleared first, with what there was to be copied.
          const onto = { address, oldLength: 0, newLength: 2 * pageSize, newAddress: address } as const;
          mustFail("a duplicate of it", yield* user.mremap({ ...onto, moving: "may-move" }), EFAULT);
          yield* mustBeUnmapped(subject, "the place of the duplicate", address, 2);
        },
      },
    ],
  },
];

type Moves = (subject: Subject, address: number) => Readonly<Record<string, MremapRequest>>;

const senselessMoves: Moves = ({ pageSize, wordBits }, address) => {
  const whole = { address, oldLength: 4 * pageSize, newLength: 4 * pageSize };
  const moved = { ...whole, moving: "may-move" } as const;
  const kept = { ...moved, oldRange: "keep" } as const;
  const elsewhere = address - 5 * pageSize;
  const last = 2 ** wordBits - pageSize;
  return {
    "of an address inside a page": { ...whole, address: address + 8 },
    "to no length": { ...whole, newLength: 0 },
    "to a length that is none when it is rounded up": { ...whole, newLength: 2 ** wordBits - 2048 },
    "to a place, without leave to move": { ...whole, newAddress: elsewhere },
    "to a place inside a page": { ...moved, newAddress: elsewhere + 8 },
    "to a place where no process has memory": { ...moved, newAddress: last },
    "onto its own beginning": { ...moved, newAddress: address - 3 * pageSize },
    "onto its own end": { ...moved, newAddress: address + 3 * pageSize },
    "onto itself": { ...moved, newAddress: address },
    "that keeps the old range, without leave to move": { ...whole, oldRange: "keep" },
    "that keeps the old range and grows": { ...kept, newLength: 5 * pageSize },
    "that keeps the old range and shrinks": { ...kept, newLength: pageSize },
    "that shrinks from beyond the address space": { ...whole, oldLength: last, newLength: pageSize },
    "that shrinks from beyond the address space and moves": {
      ...moved,
      oldLength: last - address,
      newLength: pageSize,
      newAddress: elsewhere,
    },
  };
};

const movesOfNoArea: Moves = ({ pageSize }, address) => {
  const long = { address, oldLength: 5 * pageSize, newLength: 6 * pageSize };
  const free = address - 2 * pageSize;
  const target = { moving: "may-move", newAddress: address + 5 * pageSize } as const;
  return {
    "that grows a range longer than the area": long,
    "that grows a range longer than the area and may move": { ...long, moving: "may-move" },
    "of nothing that shrinks": { address: free, oldLength: 2 * pageSize, newLength: pageSize },
    "of nothing that grows": { address: free, oldLength: pageSize, newLength: 2 * pageSize },
    "of nothing to another place": { address: free, oldLength: pageSize, newLength: pageSize, ...target },
    "of a page of the area and one behind it": {
      address: address + 3 * pageSize,
      oldLength: 2 * pageSize,
      newLength: 2 * pageSize,
      moving: "may-move",
      newAddress: address - 4 * pageSize,
    },
  };
};

function* mustRefuse(subject: Subject, errno: number, moves: Moves): Steps<void> {
  const address = yield* placed(subject);
  const before = yield* user.memoryStatus();
  for (const [what, request] of Object.entries(moves(subject, address))) {
    mustFail(`mremap ${what}`, yield* user.mremap(request), errno);
    mustBe(`the memory of the process after mremap ${what}`, yield* user.memoryStatus(), before);
    yield* mustBeAsPlaced(subject, `mremap ${what}`, address);
  }
}

/** Four written pages with free room on both sides. */
function* placed(subject: Paged): Steps<number> {
  const room = yield* islandOf(subject, 2 * AROUND + VALUES.length);
  const address = room + AROUND * subject.pageSize;
  mustBe("mmap of memory", yield* mapAt(subject, address, VALUES.length), address);
  yield* write(subject, address, VALUES);
  return address;
}

function* mustBeAsPlaced(subject: Paged, what: string, address: number): Steps<void> {
  yield* mustRead(subject, `the memory after ${what}`, address, VALUES);
  const room = address - AROUND * subject.pageSize;
  yield* mustLieAs(subject, `the room after ${what}`, room, 2 * AROUND + VALUES.length, [
    [AROUND, AROUND + VALUES.length],
  ]);
}
