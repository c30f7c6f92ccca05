import { ENOMEM, VM_READ, VM_WRITE } from "@nopage/core";
import { markOf } from "../../mark.ts";
import { mustBe, mustFail, SIGSEGV_ACCERR, SIGSEGV_MAPERR, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { AnyLaw, LawCase, Stage } from "../law.ts";
import { hasNoLeaf, leafOf, levelAt } from "../support/large-leaves.ts";
import { mapPlanted, plantDevice } from "../support/planted-device.ts";
import { ShortMemory } from "../support/short-memory.ts";

const memory = new ShortMemory();
/** Where a large leaf begins on every geometry that has them, above all that the kernel places by itself. */
const FAR = 2 ** 31 + 2 ** 29;

/** A mapping of a device made of two large leaves: one entry of the page table for very many pages. */
interface LargeMapping {
  readonly address: number;
  /** Pages of one leaf. */
  readonly span: number;
  readonly pageSize: number;
}

/** What becomes of entries that map many pages at once. */
export const largeLeafLaws: readonly AnyLaw[] = [
  {
    id: "LC-26",
    level: "model-only",
    owner: ["core"],
    rule: "a leaf of many pages of which a part is unmapped, protected or moved MUST be split, and every page beside that part MUST show what it showed",
    source: "mm/huge_memory.c __split_huge_pmd, vma_adjust_trans_huge; mm/mremap.c move_page_tables",
    cases: [
      largeCase("unmapped in part", unmapInPart),
      largeCase("protected in part", function* (mapping) {
        const { address, span, pageSize } = mapping;
        const at = address + (span - 1) * pageSize;
        mustBe("mprotect for nothing", yield* user.mprotect(at, 2 * pageSize, 0), 0);
        yield* mustShowBut(mapping, address, [span - 1, span], SIGSEGV_ACCERR);
        mustBe("mprotect for reading", yield* user.mprotect(at, 2 * pageSize, VM_READ), 0);
        yield* mustShowBut(mapping, address, [], undefined);
        mustBe("a store to a page for reading", yield* user.store(at, 1), SIGSEGV_ACCERR);
        mustBe("a store to a page beside", yield* user.store(at - pageSize, markOf(span - 2)), undefined);
      }),
      largeCase("protected as a whole", function* (mapping) {
        const { address, span, pageSize } = mapping;
        mustBe("mprotect", yield* user.mprotect(address, span * pageSize, VM_READ), 0);
        mustBe("a store to the first leaf", yield* user.store(address + pageSize, 1), SIGSEGV_ACCERR);
        mustBe("a store to the other", yield* user.store(address + span * pageSize, markOf(span)), undefined);
        yield* mustShowBut(mapping, address, [], undefined);
      }),
      largeCase("moved as a whole", function* (mapping) {
        const { address, span } = mapping;
        yield* moveAll(mapping, address, FAR);
        // Nothing has to be split for it (`move_huge_pmd`).
        for (const page of [0, span]) {
          mustBe("the level of a moved leaf", yield* levelAt(FAR + page * mapping.pageSize), 1);
        }
        yield* mustShowBut(mapping, FAR, [], undefined);
        for (const page of [0, 1, span - 1, span, 2 * span - 1]) {
          const seen = yield* user.load(address + page * mapping.pageSize);
          mustBe(`a load from where page ${page} was`, seen, SIGSEGV_MAPERR);
        }
      }),
      largeCase("moved to where no leaf fits, and back", function* (mapping) {
        const { address, pageSize } = mapping;
        const odd = FAR + 3 * pageSize;
        yield* moveAll(mapping, address, odd);
        yield* mustShowBut(mapping, odd, [], undefined);
        yield* moveAll(mapping, odd, address);
        yield* mustShowBut(mapping, address, [], undefined);
      }),
      largeCase("moved in part", function* (mapping) {
        const { address, span, pageSize } = mapping;
        const part = {
          address: address + (span - 2) * pageSize,
          oldLength: 4 * pageSize,
          newLength: 4 * pageSize,
        };
        mustBe("mremap", yield* user.mremap({ ...part, moving: "may-move", newAddress: FAR }), FAR);
        yield* mustShowBut(mapping, address, [span - 2, span - 1, span, span + 1], SIGSEGV_MAPERR);
        for (let page = 0; page < 4; page++) {
          const seen = yield* user.load(FAR + page * pageSize);
          mustBe(`page ${page} of the moved part`, seen, markOf(span - 2 + page));
        }
      }),
      largeCase("moved onto a table that is there", function* (mapping) {
        const { address, span, pageSize } = mapping;
        // A page behind the new place keeps the table of it, so that no leaf can stand in its stead.
        const beside = FAR + (2 * span - 1) * pageSize;
        yield* succeed(
          "mmap",
          user.mmap({
            address: beside,
            length: pageSize,
            protection: VM_READ | VM_WRITE,
            sharing: "private",
            placement: "fixed",
          }),
        );
        mustBe("a store beside the new place", yield* user.store(beside, 77), undefined);
        const length = (2 * span - 1) * pageSize;
        const moved = yield* user.mremap({
          address,
          oldLength: length,
          newLength: length,
          moving: "may-move",
          newAddress: FAR,
        });
        mustBe("mremap", moved, FAR);
        mustBe("a load beside the new place", yield* user.load(beside), 77);
        for (const page of [0, 1, span - 1, span, 2 * span - 2]) {
          mustBe(`page ${page} of what has moved`, yield* user.load(FAR + page * pageSize), markOf(page));
        }
        const last = address + length;
        mustBe("a load of the page that stayed", yield* user.load(last), markOf(2 * span - 1));
      }),
      {
        ...largeCase("moved without memory for tables", function* (mapping) {
          const { address, pageSize } = mapping;
          for (const to of [FAR, FAR + pageSize]) {
            yield* memory.untilEnough(
              "mremap",
              () => tryToMove(mapping, address, to),
              function* (answer) {
                if (answer === to) return false;
                mustFail("mremap without memory", answer, ENOMEM);
                yield* mustShowBut(mapping, address, [], undefined);
                mustBe("a load from the place that it did not get", yield* user.load(to), SIGSEGV_MAPERR);
                return true;
              },
            );
            yield* mustShowBut(mapping, to, [], undefined);
            yield* moveAll(mapping, to, address);
          }
        }),
        machine: { allocations: memory },
      },
      {
        ...largeCase("split while another thread looks", function* (mapping) {
          const { address, pageSize } = mapping;
          const other = yield* user.thread(function* () {
            mustBe("a load beside the part", yield* user.load(address + 2 * pageSize), markOf(2));
          }, "other");
          mustBe("mprotect of a page", yield* user.mprotect(address + pageSize, pageSize, VM_READ), 0);
          yield* user.join(other);
          mustBe("a store to that page", yield* user.store(address + pageSize, 1), SIGSEGV_ACCERR);
        }),
        schedule: "racy",
      },
    ],
  },
];

function* unmapInPart(mapping: LargeMapping): Steps<void> {
  const { address, span, pageSize } = mapping;
  mustBe("munmap", yield* user.munmap(address + 3 * pageSize, 2 * pageSize), 0);
  yield* mustShowBut(mapping, address, [3, 4], SIGSEGV_MAPERR);
  mustBe("munmap", yield* user.munmap(address + (span - 1) * pageSize, 2 * pageSize), 0);
  yield* mustShowBut(mapping, address, [3, 4, span - 1, span], SIGSEGV_MAPERR);
}

function largeCase(when: string, steps: (mapping: LargeMapping) => Steps<void>): LawCase {
  return {
    when,
    schedule: "sequential",
    kinds: "one",
    excluded: hasNoLeaf,
    *program(stage) {
      yield* steps(yield* mapLarge(stage));
    },
  };
}

/** A device that maps all of its window at once, by leaves as large as they fit. */
function* mapLarge(stage: Stage): Steps<LargeMapping> {
  const { pageSize } = stage.subject;
  const span = leafOf(stage);
  const device = yield* plantDevice("/dev/large", 2 * span, ({ kernel }, own) => ({
    *mmap(_file, area) {
      const request = { address: area.start, pfn: own.frame(0), pages: area.pages, leaves: "large" } as const;
      return yield* kernel.mappings.remapPfnRange(area, request);
    },
  }));
  const address = yield* succeed("mmap", mapPlanted(device, 2 * span * pageSize));
  const mapping = { address, span, pageSize };
  for (const page of [0, span]) mustBe("the level of a leaf", yield* levelAt(address + page * pageSize), 1);
  yield* mustShowBut(mapping, address, [], undefined);
  return mapping;
}

/** The pages around the middle and at both ends must show themselves; those listed must end as is said. */
function* mustShowBut(
  { span, pageSize }: LargeMapping,
  address: number,
  others: readonly number[],
  ending: string | undefined,
): Steps<void> {
  const looked = [0, 1, 2, 3, 4, 5, span - 3, span - 2, span - 1, span, span + 1, span + 2, 2 * span - 1];
  for (const page of new Set([...looked, ...others])) {
    const seen = yield* user.load(address + page * pageSize);
    mustBe(`page ${page} of large leaves`, seen, others.includes(page) ? ending : markOf(page));
  }
}

function* tryToMove({ span, pageSize }: LargeMapping, from: number, to: number): Steps<number> {
  const length = 2 * span * pageSize;
  return yield* user.mremap({
    address: from,
    oldLength: length,
    newLength: length,
    moving: "may-move",
    newAddress: to,
  });
}

function* moveAll(mapping: LargeMapping, from: number, to: number): Steps<void> {
  mustBe("mremap of all", yield* tryToMove(mapping, from, to), to);
}
