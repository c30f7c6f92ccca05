import { describe, expect, test } from "vitest";
import type { Page, Pfn } from "../../src/contract/units.ts";
import { owners } from "../../src/memory/owners.ts";
import { PG_dirty, PG_reserved } from "../../src/memory/page-flags.ts";
import type { PhysicalMemory } from "../../src/memory/physical-memory.ts";
import { geometries } from "../../src/mmu/geometry.ts";
import { machineMemory, present } from "./machine-memory.ts";

/** Everything that can be seen of a machine's frames. */
function snapshot(memory: PhysicalMemory) {
  const { frames, buddy, pagelessBuddy } = memory;
  const orders = Array.from({ length: 11 }, (_, order) => [
    buddy.freeBlocks(order),
    pagelessBuddy?.freeBlocks(order) ?? 0,
  ]);
  return {
    fields: [
      frames.refcount,
      frames.mapcount,
      frames.pincount,
      frames.flags,
      frames.owner,
      frames.generation,
    ].map((field) => [...field]),
    blocks: Array.from({ length: frames.count }, (_, pfn) => [
      frames.orderOf(pfn as Page),
      frames.headOf(pfn as Page),
      frames.bareBlockOf(pfn as Page),
    ]),
    initialised: Array.from({ length: frames.total }, (_, pfn) => frames.initialisedBytes(pfn as Pfn)),
    contentsAreZero: frames.words.every((word) => word === 0),
    free: memory.freeFrames,
    orders,
    areas: [...memory.vmalloc.areas()],
    windows: memory.io.list().map(({ name, startPfn, endPfn }) => [name, startPfn, endPfn]),
  };
}

/** Uses every allocator and leaves a mess. */
function use(memory: PhysicalMemory): void {
  const { frames, pages, kernel } = memory;
  kernel.fill(memory.directMap.start, 1, 100);
  for (const shape of ["compound", "split", "bare"] as const) {
    const page = present(pages.getFreePages(2, shape, owners.driver));
    kernel.fill(memory.directMap.addressOf(page), 0xee, 3 * 4096);
    frames.setFlags(page, PG_reserved | PG_dirty);
    frames.tryPin(page);
    frames.addMapping(page);
  }
  memory.kmalloc.kzalloc(100);
  memory.kmalloc.kmalloc(20000);
  kernel.fill(present(memory.vmalloc.vmalloc(5 * 4096)), 0xaa, 5 * 4096);
  present(memory.coherent.dmaAllocCoherent(9000));
  memory.io.claim("bar0", 256, { read: () => 0, write: () => {} });
  frames.put(present(pages.allocPage(owners.anon)));
}

describe.each(["with-page", "without-page"] as const)("a machine with coherent memory %s", (coherent) => {
  test("after a reset cannot be told from a new one", () => {
    const { memory, tables, reports } = machineMemory({ ramPages: 200, pagelessPages: 24, coherent });
    const fresh = snapshot(memory);
    const tablesBefore = tables.tablesInUse;
    for (let round = 0; round < 3; round++) {
      use(memory);
      expect(snapshot(memory)).not.toEqual(fresh);
      memory.reset();
      expect(snapshot(memory)).toEqual(fresh);
      expect(tables.tablesInUse).toBe(tablesBefore);
    }
    expect(reports.take()).toEqual([]);
  });

  test("does the same after a reset as before", () => {
    const { memory } = machineMemory({ ramPages: 200, pagelessPages: 24, coherent });
    use(memory);
    const first = snapshot(memory);
    memory.reset();
    use(memory);
    expect(snapshot(memory)).toEqual(first);
  });
});

test.each(Object.values(geometries))("every geometry has working memory: $name", (geometry) => {
  const { memory, reports } = machineMemory({
    geometry,
    ramPages: 64,
    pagelessPages: 16,
    coherent: "without-page",
  });
  const before = memory.freeFrames;
  const small = present(memory.kmalloc.kzalloc(24));
  const scattered = present(memory.vmalloc.vmallocUser(3 * geometry.pageSize));
  const buffer = present(memory.coherent.dmaAllocCoherent(geometry.pageSize));
  memory.kernel.copy(scattered, small, 24);
  memory.kmalloc.kfree(small);
  memory.vmalloc.vfree(scattered);
  memory.coherent.dmaFreeCoherent(buffer);
  expect(memory.freeFrames).toBe(before);
  expect(reports.take()).toEqual([]);
});

describe("a copy of a frame", () => {
  const { memory } = machineMemory({ ramPages: 64 });
  const to = present(memory.pages.allocPage(owners.anon));
  const word = (at: number): number => memory.frames.view.getUint32(to * 4096 + at, true);

  test("of RAM takes its bytes", () => {
    const from = present(memory.pages.allocPage(owners.driver));
    memory.kernel.store32(memory.directMap.addressOf(from), 0xcafe);
    memory.copyFrame(to, from);
    expect(word(0)).toBe(0xcafe);
  });

  test("of device memory loads every register of the page once", () => {
    const loads: number[] = [];
    const range = memory.io.claim("bar", 2, {
      read(offset) {
        loads.push(offset);
        return 2 ** 32 - offset;
      },
      write: () => {},
    });
    if (typeof range === "number") throw new Error("no window");
    memory.copyFrame(to, (range.startPfn + 1) as Pfn);
    expect(loads).toEqual(Array.from({ length: 1024 }, (_, at) => 4096 + 4 * at));
    expect(word(4092)).toBe(2 ** 32 - 8188);
    expect(memory.frames.initialisedBytes(to)).toBe(4096);
  });

  test("of an address where nothing answers is all ones", () => {
    memory.copyFrame(to, 0xfff00 as Pfn);
    expect(word(2048)).toBe(0xffffffff);
  });
});
