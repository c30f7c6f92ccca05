import { mustBe, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { LawCase } from "../law.ts";
import { objectAt } from "../support/entries-showing.ts";
import { freeRange } from "../support/reserved-range.ts";

const READ_WRITE = 3;
/** Pages of the file, and the most areas that show it. */
const MOST = 112;

/** What one mapping shows: file pages `[first, first + pages)`, at an address of its own. */
interface Shown {
  readonly first: number;
  readonly pages: number;
  readonly address: number;
}

/** A file that is mapped in many pieces, none of which is next to another; windows of it are unmapped to see which are found. */
class ManyPieces {
  readonly #pageSize: number;
  readonly #descriptor: number;
  #pieces: Shown[] = [];
  /** Where the next one goes. */
  #place: number;

  constructor(pageSize: number, descriptor: number, base: number) {
    this.#pageSize = pageSize;
    this.#descriptor = descriptor;
    this.#place = base;
  }

  /** Maps a piece. */
  *map(first: number, pages = 1): Steps<void> {
    const pageSize = this.#pageSize;
    const address = this.#place;
    this.#place += (pages + 1) * pageSize;
    const request = {
      address,
      length: pages * pageSize,
      protection: READ_WRITE,
      sharing: "shared",
      placement: "fixed",
      pgoff: first,
      descriptor: this.#descriptor,
    } as const;
    yield* succeed(`mmap from page ${first} on`, user.mmap(request));
    this.#pieces.push({ first, pages, address });
  }

  /** Unmaps the piece that was mapped as the `index`th of those that are left. */
  *unmap(index: number): Steps<void> {
    const [piece] = this.#pieces.splice(index, 1);
    if (piece === undefined) throw new RangeError(`there is no piece ${index}`);
    yield* succeed("munmap", user.munmap(piece.address, piece.pages * this.#pageSize));
  }

  /** For each window of file pages: touches everything, unmaps the window everywhere, and looks at who has lost what. */
  *mustBeFound(...windows: readonly (readonly [first: number, pages: number])[]): Steps<void> {
    const pageSize = this.#pageSize;
    const [some] = this.#pieces;
    if (some === undefined) return;
    const object = yield* objectAt(some.address);
    for (const [from, count] of windows) {
      for (const { address, pages } of this.#pieces) {
        for (let page = 0; page < pages; page++) yield* user.load(address + page * pageSize);
      }
      yield* user.kernel(({ kernel }) => kernel.mappings.unmapMappingRange(object, from, count, "even-cows"));
      for (const { first, pages, address } of this.#pieces) {
        const isLeft = (page: number) => page < from || page >= from + count;
        const expected = Array.from({ length: pages }, (_, page) => isLeft(first + page));
        const what = `of ${this.#pieces.length} pieces, whether that of pages from ${first} on is mapped after pages [${from}, ${from + count}) are unmapped`;
        mustBe(what, yield* user.pagemap(address, pages), expected);
      }
    }
  }
}

/** A shared file of which many pieces are mapped and unmapped. */
function many(when: string, program: (pieces: ManyPieces) => Steps<void>): LawCase {
  return {
    when,
    schedule: "sequential",
    executor: "model",
    kinds: "one",
    machine: { ramPages: 4 * MOST },
    excluded: ({ tried }) =>
      tried?.geometry.name === "x86-64" ? undefined : "what is found does not depend on the page tables",
    *program({ subject }) {
      const { pageSize } = subject;
      const descriptor = yield* succeed("memfd_create", user.memfd("many"));
      yield* succeed("ftruncate", user.ftruncate(descriptor, 2 * MOST * pageSize));
      const base = yield* freeRange(subject, 4 * MOST);
      yield* program(new ManyPieces(pageSize, descriptor, base));
    },
  };
}

/** For RV-04: however many areas show an object, and in whatever order they came and went, each of them is found. */
export const manyAreas: readonly LawCase[] = [
  many("many pieces, last first, that go first to last", function* (pieces) {
    for (let first = 69; first >= 0; first--) yield* pieces.map(first, 1 + (first % 2));
    yield* pieces.mustBeFound([0, 1], [33, 2], [20, 30], [69, 1]);
    for (let left = 70; left > 0; left -= 10) {
      for (let count = 0; count < 10; count++) yield* pieces.unmap(left - 1 - count);
      yield* pieces.mustBeFound([16, 1], [left - 1, 9]);
    }
    yield* pieces.map(5);
    yield* pieces.mustBeFound([5, 1]);
  }),
  many("many pieces, some of them between others, of which the last go", function* (pieces) {
    for (let index = 0; index < 33; index++) yield* pieces.map(2 * index, 2);
    for (let index = 0; index < 8; index++) yield* pieces.map(2 * index + 1);
    for (const index of [32, 31]) yield* pieces.unmap(index);
    // A long one, which reaches over all that stand behind it.
    yield* pieces.map(3, 80);
    yield* pieces.mustBeFound([81, 1], [70, 20]);
    yield* pieces.mustBeFound([1, 1], [46, 1], [47, 3], [60, 9], [15, 2]);
  }),
  many("many pieces, first to last, of which the first go", function* (pieces) {
    for (let index = 0; index < 56; index++) yield* pieces.map(2 * index, 2);
    for (let count = 0; count < 17; count++) yield* pieces.unmap(0);
    yield* pieces.mustBeFound([35, 1], [47, 3], [80, 2], [60, 40]);
  }),
  many("many pieces in no order, most of the same pages", function* (pieces) {
    for (let index = 0; index < 100; index++) yield* pieces.map((index * 37) % (index < 50 ? 100 : 7));
    yield* pieces.mustBeFound([0, 1], [3, 1], [50, 1], [30, 40]);
    for (let left = 100; left > 0; left--) {
      yield* pieces.unmap(7919 % left);
      if (left % 30 === 1) yield* pieces.mustBeFound([3, 1], [50, 20]);
    }
  }),
];
