import { describe, expect, it } from "vitest";
import { VM_READ } from "../../src/contract/area-flags.ts";
import type { Sleepable } from "../../src/contract/execution.ts";
import type { Page, Pfn } from "../../src/contract/units.ts";
import { owners } from "../../src/memory/owners.ts";
import { migratePage } from "../../src/mm/migrate.ts";
import { CACHE_COLOURS } from "../../src/mmu/virtual-cache.ts";
import type { UserThread } from "../../src/user/user-thread.ts";
import { map, mapAnonymous, TestDevice } from "../support/test-device.ts";
import { ok, World } from "../support/world.ts";

type Flushes = "on" | "left-out";

/** Two places for a page whose colours differ, both where a large leaf would begin but for the colour. */
const HERE = 2 ** 22;
const there = ({ page }: World) => 2 * HERE + (CACHE_COLOURS + 1) * page;

function aliasing(
  cacheFlushes: Flushes,
  program: (world: World, thread: UserThread) => Sleepable<void>,
): void {
  const world = new World({ dataCache: "virtually-indexed", cacheFlushes, ramPages: 2048 });
  const { status } = world.run((thread) => program(world, thread));
  expect(status).toBe("finished");
  world.finish();
}

/** What is seen with the flush in place, and what when it is missing: each hook's test fails if its own flush is. */
const both = [
  ["on", "new"],
  ["left-out", "stale"],
] as const;

/** A device that shows RAM of its own by `remap_pfn_range`, in one block so that large leaves fit. */
function remapping(world: World, leaves: "single" | "large") {
  const { memory } = world.machine;
  const first = memory.pages.getFreePages(9, "compound", owners.driver) as Page;
  world.atEnd(() => memory.pages.freePages(first, 9));
  memory.frames.view.setUint32(first * world.page, 0x1000, true);
  memory.frames.markWritten(first, 0, 512 * world.page);
  const run = { pfn: first as number as Pfn, leaves };
  return new TestDevice(world, {
    mmap: (area) =>
      world.kernel.mappings.remapPfnRange(area, { ...run, address: area.start, pages: area.pages }),
  });
}

describe("each hook that flushes a data cache that is indexed virtually", () => {
  it.each(both)(
    "mprotect, flushes %s: the owner of the page MUST see what was stored before (%s)",
    (flushes, seen) => {
      aliasing(flushes, function* (world, thread) {
        const device = new TestDevice(world, { pages: 1 });
        const address = yield* map(thread, device, { address: HERE, placement: "fixed" });
        yield* thread.store(address, 7);
        expect(device.word(0)).toBe(0x1000);
        ok(yield* thread.mprotect(address, world.page, VM_READ));
        expect(device.word(0)).toBe(seen === "new" ? 7 : 0x1000);
      });
    },
  );

  it.each(both)(
    "the migration of a page, flushes %s: the new page MUST show what was stored (%s)",
    (flushes, seen) => {
      aliasing(flushes, function* (_world, thread) {
        const memory = yield* mapAnonymous(thread, 1, { address: HERE, placement: "fixed" });
        yield* thread.store(memory, 7);
        expect(yield* migratePage(thread.mm, memory)).toBe(0);
        expect(yield* thread.load(memory)).toBe(seen === "new" ? 7 : 0);
      });
    },
  );

  it.each(both)(
    "insertPage, flushes %s: a second mapping MUST show what was stored through the first (%s)",
    (flushes, seen) => {
      aliasing(flushes, function* (world, thread) {
        const device = new TestDevice(world, { pages: 1, mmap: (area, own) => own.insertAll(area) });
        const one = yield* map(thread, device, { address: HERE, placement: "fixed" });
        yield* thread.store(one, 7);
        const other = yield* map(thread, device, { address: there(world), placement: "fixed" });
        expect(yield* thread.load(other)).toBe(seen === "new" ? 7 : 0x1000);
      });
    },
  );

  it.each(both)(
    "an eager remap, flushes %s: a second mapping MUST show what was stored through the first (%s)",
    (flushes, seen) => {
      aliasing(flushes, function* (world, thread) {
        const device = remapping(world, "single");
        const one = yield* map(thread, device, { address: HERE, placement: "fixed", pages: 1 });
        yield* thread.store(one, 7);
        const other = yield* map(thread, device, { address: there(world), placement: "fixed", pages: 1 });
        expect(yield* thread.load(other)).toBe(seen === "new" ? 7 : 0x1000);
      });
    },
  );

  it.each(both)(
    "an eager remap by large leaves, flushes %s: MUST show what was stored through a small one (%s)",
    (flushes, seen) => {
      aliasing(flushes, function* (world, thread) {
        const device = remapping(world, "large");
        const one = yield* map(thread, device, { address: there(world), placement: "fixed", pages: 1 });
        yield* thread.store(one, 7);
        const other = yield* map(thread, device, { address: HERE, placement: "fixed", pages: 512 });
        expect(yield* thread.load(other)).toBe(seen === "new" ? 7 : 0x1000);
      });
    },
  );
});
