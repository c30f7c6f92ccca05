import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { KernelAddress, Page } from "../../src/contract/units.ts";
import { KernelFault } from "../../src/memory/kernel-fault.ts";
import { ZERO_SIZE_POINTER } from "../../src/memory/kmalloc.ts";
import { owners } from "../../src/memory/owners.ts";
import { PG_slab } from "../../src/memory/page-flags.ts";
import { alpha } from "../../src/mmu/geometry.ts";
import { machineMemory, present } from "./machine-memory.ts";

function heap() {
  const under = machineMemory({ pagelessPages: 4 });
  return { ...under, kmalloc: under.memory.kmalloc, before: under.memory.freeFrames };
}

function offset(address: KernelAddress, bytes: number): KernelAddress {
  return (address + bytes) as KernelAddress;
}

describe("an object", () => {
  test.each([
    [1, 8],
    [8, 8],
    [9, 16],
    [100, 128],
    [4096, 4096],
    [4097, 8192],
    [8192, 8192],
    [8193, 16384],
    [40960, 65536],
  ])("of %i bytes has %i, aligned to that", (bytes, size) => {
    const { kmalloc, memory, reports } = heap();
    const address = present(kmalloc.kmalloc(bytes));
    expect(kmalloc.ksize(address)).toBe(size);
    expect((address - memory.directMap.start) % size).toBe(0);
    kmalloc.kfree(address);
    expect(reports.take()).toEqual([]);
  });

  test("LK-03 up to two pages lies in pages marked as slab, above in compound pages that are not", () => {
    const { kmalloc, memory } = heap();
    const small = memory.directMap.virtToPage(present(kmalloc.kmalloc(8192)));
    const large = memory.directMap.virtToPage(present(kmalloc.kmalloc(8193)));
    for (const page of [small, small + 1] as Page[]) expect(memory.frames.hasFlags(page, PG_slab)).toBe(true);
    expect(memory.frames.hasFlags(large, PG_slab)).toBe(false);
    expect(memory.frames.headOf((large + 3) as Page)).toBe(large);
    expect([...memory.frames.inUseByOwner()]).toEqual([
      ["kmalloc", 4],
      ["slab", 2],
    ]);
  });

  test("keeps what was there, unless zeroes were asked for", () => {
    const { kmalloc, memory } = heap();
    const keep = present(kmalloc.kmalloc(64));
    const first = present(kmalloc.kmalloc(64));
    memory.kernel.fill(first, 0xab, 64);
    kmalloc.kfree(first);
    expect(kmalloc.kmalloc(64)).toBe(first);
    expect(memory.kernel.load8(offset(first, 63))).toBe(0xab);
    kmalloc.kfree(first);
    expect(kmalloc.kzalloc(50)).toBe(first);
    expect(memory.kernel.load64(offset(first, 56))).toBe(0n);
    kmalloc.kfree(first);
    kmalloc.kfree(keep);
  });

  test.each([4096, 8192, 16384])("of %i zeroed bytes is zero in a page that was not", (bytes) => {
    const { kmalloc, memory } = heap();
    const first = present(kmalloc.kmalloc(bytes));
    memory.kernel.fill(first, 0xab, bytes);
    kmalloc.kfree(first);
    const again = present(kmalloc.kzalloc(bytes));
    expect(again).toBe(first);
    const contents = new Uint8Array(bytes);
    memory.kernel.read(again, contents);
    expect(contents.every((byte) => byte === 0)).toBe(true);
  });

  test("larger than any block is not to be had", () => {
    const { kmalloc } = heap();
    expect(kmalloc.kmalloc(2 ** 40)).toBeUndefined();
    expect(() => kmalloc.kmalloc(-1)).toThrow(RangeError);
    expect(() => kmalloc.kmalloc(Number.NaN)).toThrow(RangeError);
  });

  test("of no bytes can be freed, and not used", () => {
    const { kmalloc, memory, reports } = heap();
    const nothing = present(kmalloc.kmalloc(0));
    expect(nothing).toBe(ZERO_SIZE_POINTER);
    expect(kmalloc.ksize(nothing)).toBe(0);
    expect(() => memory.kernel.load8(nothing)).toThrow(KernelFault);
    kmalloc.kfree(nothing);
    kmalloc.kfree(0 as KernelAddress);
    expect(reports.take()).toEqual([]);
  });
});

describe("a kfree that is wrong is reported and changes nothing", () => {
  test.each([32, 4096, 8192, 20000])("an object of %i bytes twice", (bytes) => {
    const { kmalloc, reports, memory, before } = heap();
    const address = present(kmalloc.kmalloc(bytes));
    kmalloc.kfree(address);
    kmalloc.kfree(address);
    expect(reports.take()).toEqual(["double-free"]);
    expect(memory.freeFrames).toBe(before);
  });

  test("an object twice while its slab lives on", () => {
    const { kmalloc, reports } = heap();
    const [one, two] = [present(kmalloc.kmalloc(32)), present(kmalloc.kmalloc(32))];
    kmalloc.kfree(one);
    kmalloc.kfree(one);
    expect(reports.take()).toEqual(["double-free"]);
    expect(kmalloc.kmalloc(32)).toBe(one);
    expect(kmalloc.kmalloc(32)).not.toBe(two);
  });

  test.each([
    [32, 8],
    [8192, 4096],
    [20000, 4096],
    [20000, 1],
  ])("the middle of an object of %i bytes", (bytes, into) => {
    const { kmalloc, reports } = heap();
    const address = present(kmalloc.kmalloc(bytes));
    kmalloc.kfree(offset(address, into));
    expect(reports.take()).toEqual(["page-kind"]);
    expect(kmalloc.ksize(address)).toBeGreaterThanOrEqual(bytes);
  });

  test("memory of other allocators", () => {
    const { kmalloc, memory, reports } = heap();
    const { directMap, pages, vmalloc, frames } = memory;
    kmalloc.kfree(directMap.addressOf(present(pages.allocPage(owners.driver))));
    kmalloc.kfree(present(vmalloc.vmalloc(100)));
    kmalloc.kfree(directMap.addressOf(frames.count as Page));
    kmalloc.kfree(directMap.addressOf(0 as Page));
    kmalloc.kfree(0x1000 as KernelAddress);
    expect(reports.take()).toEqual(Array(5).fill("page-kind"));
    expect([...frames.inUseByOwner()]).toEqual([
      ["driver", 1],
      ["vmalloc", 1],
    ]);
  });

  test("ksize of what is not an object", () => {
    const { kmalloc, reports, memory } = heap();
    expect(() => kmalloc.ksize(memory.directMap.addressOf(7 as Page))).toThrow(KernelFault);
    expect(reports.take()).toEqual(["page-kind"]);
  });
});

describe("failure", () => {
  test.each([1, 2])("at the %i. question leaves nothing behind", (failAt) => {
    const { kmalloc, memory, gate, before } = heap();
    gate.failAt = failAt;
    expect(kmalloc.kzalloc(64)).toBeUndefined();
    expect(gate.sites).toEqual(["kmalloc", "alloc_pages"].slice(0, failAt));
    expect(memory.freeFrames).toBe(before);
    expect(kmalloc.kzalloc(64)).toBeDefined();
  });

  test("a page of a freed object lives on for whoever has a reference to it", () => {
    const { kmalloc, memory, reports, before } = heap();
    const address = present(kmalloc.kmalloc(20000));
    const page = (memory.directMap.virtToPage(address) + 2) as Page;
    memory.frames.get(page);
    kmalloc.kfree(address);
    expect(memory.freeFrames).toBe(before - 8);
    expect(memory.frames.put(page)).toBe(true);
    expect(memory.freeFrames).toBe(before);
    expect(reports.take()).toEqual([]);
  });
});

describe("whatever is allocated and freed", () => {
  const sizes = fc.oneof(fc.nat({ max: 200 }), fc.constant(1500), fc.integer({ min: 1, max: 40_000 }));
  const steps = fc.array(fc.oneof(fc.record({ bytes: sizes }), fc.record({ free: fc.nat() })), {
    maxLength: 300,
    size: "max",
  });

  test.each([undefined, alpha])(
    "objects never overlap nor lose their contents, and every frame comes back",
    (geometry) => {
      fc.assert(
        fc.property(steps, (program) => {
          const { memory, reports } = machineMemory({ ramPages: 512, ...(geometry && { geometry }) });
          const { kmalloc, kernel } = memory;
          const before = memory.freeFrames;
          const live = new Map<KernelAddress, { size: number; mark: number }>();
          let mark = 1;
          const free = (address: KernelAddress): void => {
            const { size, mark: expected } = present(live.get(address));
            expect(kmalloc.ksize(address)).toBe(size);
            expect(kernel.load8(address)).toBe(expected);
            expect(kernel.load8((address + size - 1) as KernelAddress)).toBe(expected);
            live.delete(address);
            kmalloc.kfree(address);
          };
          for (const step of program) {
            if ("free" in step) {
              const address = [...live.keys()][step.free % Math.max(1, live.size)];
              if (address !== undefined) free(address);
              continue;
            }
            const address = kmalloc.kmalloc(step.bytes);
            if (address === undefined || address === ZERO_SIZE_POINTER) continue;
            const size = kmalloc.ksize(address);
            expect(size).toBeGreaterThanOrEqual(step.bytes);
            for (const [other, { size: otherSize }] of live) {
              expect(address + size <= other || other + otherSize <= address).toBe(true);
            }
            mark = (mark % 255) + 1;
            kernel.fill(address, mark, size);
            live.set(address, { size, mark });
          }
          for (const address of [...live.keys()]) free(address);
          expect(memory.freeFrames).toBe(before);
          expect(memory.frames.inUseByOwner().size).toBe(0);
          expect(reports.take()).toEqual([]);
        }),
        { seed: 2004, numRuns: 60 },
      );
    },
  );
});
