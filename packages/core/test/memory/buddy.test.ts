import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BuddyAllocator, LARGEST_ORDER } from "../../src/memory/buddy.ts";

/** Free blocks by order, as a fresh allocator over the same frames has them. */
function blocksOf(buddy: BuddyAllocator): number[] {
  return Array.from({ length: LARGEST_ORDER + 1 }, (_, order) => buddy.freeBlocks(order));
}

describe("order of allocation", () => {
  test("single frames come lowest first", () => {
    const buddy = new BuddyAllocator(1, 64);
    const taken = Array.from({ length: 63 }, () => buddy.allocate(0));
    expect(taken).toEqual(Array.from({ length: 63 }, (_, at) => at + 1));
    expect(buddy.allocate(0)).toBe(-1);
    expect(buddy.freeFrames).toBe(0);
  });

  test("the frame freed last is handed out first", () => {
    const buddy = new BuddyAllocator(1, 64);
    const [one, two] = [buddy.allocate(0), buddy.allocate(0)];
    buddy.free(two, 0);
    buddy.free(one, 0);
    expect([buddy.allocate(0), buddy.allocate(0)]).toEqual([one, two]);
  });

  test("the smallest block that is large enough is split", () => {
    const buddy = new BuddyAllocator(0, 1024 + 16);
    expect(buddy.allocate(3)).toBe(1024);
    expect(buddy.allocate(4)).toBe(0);
    expect(buddy.freeBlocks(LARGEST_ORDER)).toBe(0);
  });
});

describe("blocks", () => {
  test.each([0, 3, 6, 10])("of order %i are aligned to their size", (order) => {
    const buddy = new BuddyAllocator(1, 8192);
    for (let pfn = buddy.allocate(order); pfn >= 0; pfn = buddy.allocate(order)) {
      expect(pfn % 2 ** order).toBe(0);
    }
  });

  test("above the largest order are never free", () => {
    expect(new BuddyAllocator(0, 8192).allocate(LARGEST_ORDER + 1)).toBe(-1);
  });

  test("frames kept at hand are merged before a larger block is refused", () => {
    const buddy = new BuddyAllocator(0, 16);
    const taken = Array.from({ length: 16 }, () => buddy.allocate(0));
    for (const pfn of taken) buddy.free(pfn, 0);
    expect(buddy.allocate(4)).toBe(0);
  });

  test("may be freed in parts", () => {
    const buddy = new BuddyAllocator(0, 64);
    const whole = blocksOf(buddy);
    const first = buddy.allocate(4);
    expect(buddy.free(first + 8, 3)).toBe(true);
    for (let at = 0; at < 8; at++) expect(buddy.free(first + at, 0)).toBe(true);
    buddy.drain();
    expect(blocksOf(buddy)).toEqual(whole);
  });

  test("serve a range that begins and ends anywhere", () => {
    const buddy = new BuddyAllocator(1001, 3003);
    const whole = blocksOf(buddy);
    const taken = new Set<number>();
    for (let pfn = buddy.allocate(0); pfn >= 0; pfn = buddy.allocate(0)) taken.add(pfn);
    expect(taken.size).toBe(2002);
    expect([Math.min(...taken), Math.max(...taken)]).toEqual([1001, 3002]);
    for (const pfn of taken) buddy.free(pfn, 0);
    buddy.drain();
    expect(blocksOf(buddy)).toEqual(whole);
  });
});

describe("a free that makes no sense", () => {
  test.each([
    ["a frame that is free", 5, 0],
    ["a block of which some frames are free", 0, 2],
    ["a block that is not aligned", 1, 1],
    ["a frame below the range", -1, 0],
    ["a frame above the range", 64, 0],
    ["a block across the end of the range", 0, 7],
  ])("is refused and changes nothing: %s", (_what, pfn, order) => {
    const buddy = new BuddyAllocator(0, 64);
    buddy.allocate(0);
    buddy.allocate(0);
    const before = blocksOf(buddy);
    expect(buddy.free(pfn, order)).toBe(false);
    expect(buddy.freeFrames).toBe(62);
    expect(blocksOf(buddy)).toEqual(before);
  });
});

type Step = { readonly allocate: number } | { readonly free: number };

const steps = fc.array(
  fc.oneof(
    fc.record({ allocate: fc.nat({ max: 6 }) }),
    fc.record({ allocate: fc.constant(0) }),
    fc.record({ free: fc.nat() }),
  ),
  { maxLength: 200, size: "max" },
) satisfies fc.Arbitrary<Step[]>;

describe("whatever is allocated and freed", () => {
  test("blocks never overlap, counts are exact, a refusal is honest, and all merges again", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 70 }),
        fc.integer({ min: 80, max: 300 }),
        steps,
        (start, end, program) => {
          const buddy = new BuddyAllocator(start, end);
          const whole = blocksOf(buddy);
          const used = new Set<number>();
          const live: { pfn: number; order: number }[] = [];
          for (const step of program) {
            if ("allocate" in step) {
              const order = step.allocate;
              const pfn = buddy.allocate(order);
              if (pfn < 0) {
                expect(roomFor(used, start, end, order)).toBe(false);
                continue;
              }
              expect(pfn % 2 ** order).toBe(0);
              expect(pfn >= start && pfn + 2 ** order <= end).toBe(true);
              for (let at = pfn; at < pfn + 2 ** order; at++) {
                expect(used.has(at)).toBe(false);
                used.add(at);
              }
              live.push({ pfn, order });
            } else if (live.length > 0) {
              const [{ pfn, order }] = live.splice(step.free % live.length, 1);
              expect(buddy.free(pfn, order)).toBe(true);
              expect(buddy.free(pfn, order)).toBe(false);
              for (let at = pfn; at < pfn + 2 ** order; at++) used.delete(at);
            }
            expect(buddy.freeFrames).toBe(end - start - used.size);
          }
          for (const { pfn, order } of live) buddy.free(pfn, order);
          buddy.drain();
          expect(blocksOf(buddy)).toEqual(whole);
        },
      ),
      { seed: 1997 },
    );
  });

  test("a reset allocator behaves as a new one", () => {
    fc.assert(
      fc.property(steps, steps, (before, after) => {
        const used = new BuddyAllocator(1, 200);
        run(used, before);
        used.reset();
        expect(blocksOf(used)).toEqual(blocksOf(new BuddyAllocator(1, 200)));
        expect(run(used, after)).toEqual(run(new BuddyAllocator(1, 200), after));
      }),
      { seed: 1998 },
    );
  });
});

/** Whether an aligned block of the order has no used frame. */
function roomFor(used: ReadonlySet<number>, start: number, end: number, order: number): boolean {
  const frames = 2 ** order;
  for (let first = Math.ceil(start / frames) * frames; first + frames <= end; first += frames) {
    let free = true;
    for (let at = first; at < first + frames && free; at++) free = !used.has(at);
    if (free) return true;
  }
  return false;
}

function run(buddy: BuddyAllocator, program: readonly Step[]): number[] {
  const live: { pfn: number; order: number }[] = [];
  const answers: number[] = [];
  for (const step of program) {
    if ("allocate" in step) {
      const pfn = buddy.allocate(step.allocate);
      answers.push(pfn);
      if (pfn >= 0) live.push({ pfn, order: step.allocate });
    } else if (live.length > 0) {
      const [{ pfn, order }] = live.splice(step.free % live.length, 1);
      buddy.free(pfn, order);
    }
  }
  return answers;
}
