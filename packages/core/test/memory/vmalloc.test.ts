import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { KernelAddress, Page, Pfn } from "../../src/contract/units.ts";
import { owners } from "../../src/memory/owners.ts";
import { scatter } from "../../src/memory/scatter.ts";
import { arm64_64k, geometries, i386, x86_64 } from "../../src/mmu/geometry.ts";
import { machineMemory, present } from "./machine-memory.ts";

function area(bytes = 5 * 4096) {
  const under = machineMemory({ pagelessPages: 8 });
  const before = under.memory.freeFrames;
  const tablesBefore = under.tables.tablesInUse;
  const address = present(under.memory.vmalloc.vmalloc(bytes));
  return { ...under, vmalloc: under.memory.vmalloc, address, before, tablesBefore };
}

function page(address: KernelAddress, index: number, bytes = 4096): KernelAddress {
  return (address + index * bytes) as KernelAddress;
}

describe("a vmalloc area", () => {
  test.each(Object.values(geometries))(
    "on $name is found page by page through the kernel's page table",
    (geometry) => {
      const { memory } = machineMemory({ geometry, ramPages: 64 });
      const address = present(memory.vmalloc.vmalloc(3 * geometry.pageSize + 1));
      const pages = [0, 1, 2, 3].map((at) =>
        present(memory.vmalloc.vmallocToPage(page(address, at, geometry.pageSize))),
      );
      expect(new Set(pages).size).toBe(4);
      for (const found of pages) expect(memory.frames.owner[found]).toBe(owners.vmalloc);
      const last = (address + 4 * geometry.pageSize - 1) as KernelAddress;
      expect(memory.vmalloc.vmallocToPage(last)).toBe(pages[3]);
    },
  );

  test("LK-02 has no two neighbours that are neighbours in memory", () => {
    const { vmalloc, address } = area(40 * 4096);
    for (let at = 1; at < 40; at++) {
      const before = present(vmalloc.vmallocToPage(page(address, at - 1)));
      expect(vmalloc.vmallocToPage(page(address, at))).not.toBe(before + 1);
    }
  });

  test("ends in a guard page that maps nothing", () => {
    const { vmalloc, address } = area(4096);
    const next = present(vmalloc.vmalloc(4096));
    expect(next).toBe(page(address, 2));
    expect(vmalloc.vmallocToPage(page(address, 1))).toBeUndefined();
    expect(vmalloc.findVmArea(page(address, 1))).toBeUndefined();
  });

  test("is found by any of its addresses, with its size", () => {
    const { vmalloc, address } = area(3 * 4096);
    const found = present(vmalloc.findVmArea((address + 3 * 4096 - 1) as KernelAddress));
    expect(found).toEqual({ kind: "vmalloc", start: address, end: address + 3 * 4096, pages: 3 });
    expect(vmalloc.findVmArea((address - 1) as KernelAddress)).toBeUndefined();
  });

  test("for user space is zeroed and marked", () => {
    const { vmalloc, address, memory } = area();
    memory.kernel.fill(address, 0xff, 5 * 4096);
    vmalloc.vfree(address);
    const shown = present(vmalloc.vmallocUser(5 * 4096));
    const contents = new Uint8Array(5 * 4096);
    memory.kernel.read(shown, contents);
    expect(contents.every((byte) => byte === 0)).toBe(true);
    expect(vmalloc.findVmArea(shown)?.kind).toBe("vmalloc-user");
    for (let at = 0; at < 5; at++) {
      expect(memory.frames.initialisedBytes(present(vmalloc.pfnOf(page(shown, at))))).toBe(4096);
    }
  });

  test("gives everything back, page tables included", () => {
    const { vmalloc, address, memory, before, tables, tablesBefore, reports } = area(600 * 4096 - 400 * 4096);
    vmalloc.vfree(address);
    expect(memory.freeFrames).toBe(before);
    expect(tables.tablesInUse).toBe(tablesBefore);
    expect(vmalloc.vmallocToPage(address)).toBeUndefined();
    expect(vmalloc.areas()).toEqual([]);
    expect(reports.take()).toEqual([]);
  });

  test("freed while a page of it is referenced leaves that page alive", () => {
    const { vmalloc, address, memory, before, reports } = area();
    const held = present(vmalloc.vmallocToPage(page(address, 2)));
    memory.frames.get(held);
    vmalloc.vfree(address);
    expect(memory.freeFrames).toBe(before - 1);
    expect(memory.frames.put(held)).toBe(true);
    expect(memory.freeFrames).toBe(before);
    expect(reports.take()).toEqual([]);
  });
});

describe("a vfree that is wrong is reported and changes nothing", () => {
  test("twice", () => {
    const { vmalloc, address, reports } = area();
    vmalloc.vfree(address);
    vmalloc.vfree(address);
    expect(reports.take()).toEqual(["double-free"]);
  });

  test("the middle of an area", () => {
    const { vmalloc, address, reports } = area();
    vmalloc.vfree(page(address, 1));
    expect(reports.take()).toEqual(["page-kind"]);
    expect(vmalloc.findVmArea(address)).toBeDefined();
  });

  test("memory of kmalloc", () => {
    const { vmalloc, memory, reports } = area();
    vmalloc.vfree(present(memory.kmalloc.kmalloc(64)));
    expect(reports.take()).toEqual(["page-kind"]);
  });

  test("but NULL is fine", () => {
    const { vmalloc, reports } = area();
    vmalloc.vfree(0 as KernelAddress);
    expect(reports.take()).toEqual([]);
  });
});

describe("a mapping of frames of others", () => {
  test("shows a run of frames and leaves them alone when it goes", () => {
    const { vmalloc, memory, before, reports } = area();
    const pfn = memory.frames.count as Pfn;
    const address = present(vmalloc.map(pfn, 3));
    expect(vmalloc.pfnOf(page(address, 2))).toBe(pfn + 2);
    vmalloc.unmap(address);
    expect(vmalloc.pfnOf(address)).toBeUndefined();
    expect(memory.freeFrames).toBe(before - 5);
    expect(reports.take()).toEqual([]);
  });

  test("of RAM without struct page has no page to find", () => {
    const { vmalloc, memory, reports } = area();
    const address = present(vmalloc.map(memory.frames.count as Pfn, 1));
    expect(vmalloc.vmallocToPage(address)).toBeUndefined();
    expect(reports.take()).toEqual(["page-kind"]);
  });

  test("is not freed by vfree, nor an area by unmap", () => {
    const { vmalloc, address, memory, reports } = area();
    const mapping = present(vmalloc.map(memory.frames.count as Pfn, 1));
    vmalloc.vfree(mapping);
    vmalloc.unmap(address);
    expect(reports.take()).toEqual(["page-kind", "page-kind"]);
    expect(vmalloc.areas().length).toBe(2);
  });
});

describe("failure", () => {
  test("of any allocation on the way unwinds all before it", () => {
    const pages = 6;
    for (let failAt = 1; failAt <= pages + 1; failAt++) {
      const { memory, gate, tables } = machineMemory();
      const [frames, inUse] = [memory.freeFrames, tables.tablesInUse];
      gate.failAt = failAt;
      expect(memory.vmalloc.vmallocUser(pages * 4096)).toBeUndefined();
      expect([memory.freeFrames, tables.tablesInUse, memory.vmalloc.areas().length]).toEqual([
        frames,
        inUse,
        0,
      ]);
      expect(gate.asked).toBe(failAt);
    }
  });

  test("of page tables on the way unwinds, for an area and for a mapping", () => {
    for (let tablesLeft = 0; tablesLeft < 3; tablesLeft++) {
      const { memory, tables } = machineMemory();
      const [frames, inUse] = [memory.freeFrames, tables.tablesInUse];
      let left = tablesLeft;
      tables.mayAllocate = () => left-- > 0;
      expect(memory.vmalloc.vmalloc(4 * 4096)).toBeUndefined();
      left = tablesLeft;
      expect(memory.vmalloc.map(3 as Page, 2)).toBeUndefined();
      expect([memory.freeFrames, tables.tablesInUse, memory.vmalloc.areas().length]).toEqual([
        frames,
        inUse,
        0,
      ]);
    }
  });

  test("is the answer to more pages than there are, and to none", () => {
    const { memory } = machineMemory();
    const before = memory.freeFrames;
    expect(memory.vmalloc.vmalloc(before * 4096 + 1)).toBeUndefined();
    expect(memory.vmalloc.vmalloc(2 ** 50)).toBeUndefined();
    expect(memory.vmalloc.vmalloc(0)).toBeUndefined();
    expect(memory.freeFrames).toBe(before);
    expect(() => memory.vmalloc.vmalloc(-4096)).toThrow(RangeError);
  });

  test("is the answer when addresses run out", () => {
    const { memory } = machineMemory({ geometry: i386 });
    const room = (i386.vmallocEnd - i386.vmallocStart) / i386.pageSize;
    expect(memory.vmalloc.map(0 as Pfn, room)).toBeUndefined();
    expect(memory.vmalloc.map(0 as Pfn, room - 1)).toBe(i386.vmallocStart);
    expect(memory.vmalloc.vmalloc(1)).toBeUndefined();
  });
});

describe("scatter", () => {
  test("keeps the frames, and no frame follows the one before it", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat({ max: 400 }), { minLength: 1, maxLength: 200 }), (frames) => {
        const order = Int32Array.from(frames);
        scatter(order);
        expect([...order].sort()).toEqual([...frames].sort());
        for (let at = 1; at < order.length; at++) expect(order[at]).not.toBe(order[at - 1] + 1);
      }),
      { seed: 1997 },
    );
  });
});

describe("whatever is allocated and freed", () => {
  const steps = fc.array(
    fc.oneof(fc.record({ pages: fc.integer({ min: 1, max: 24 }) }), fc.record({ free: fc.nat() })),
    { maxLength: 80, size: "max" },
  );

  test.each([x86_64, arm64_64k])(
    "areas on $name lie first fit, never overlap, keep their contents and come back",
    (geometry) => {
      fc.assert(
        fc.property(steps, (program) => {
          const { memory, reports, tables } = machineMemory({ geometry, ramPages: 128 });
          const { vmalloc, kernel } = memory;
          const [before, tablesBefore] = [memory.freeFrames, tables.tablesInUse];
          const live: { address: KernelAddress; pages: number }[] = [];
          const free = (at: number): void => {
            const [{ address, pages }] = live.splice(at, 1);
            for (let index = 0; index < pages; index++) {
              expect(kernel.load32(page(address, index, geometry.pageSize))).toBe(
                (address + index) % 2 ** 32,
              );
            }
            vmalloc.vfree(address);
          };
          for (const step of program) {
            if ("free" in step) {
              if (live.length > 0) free(step.free % live.length);
              continue;
            }
            const address = vmalloc.vmalloc(step.pages * geometry.pageSize);
            if (address === undefined) {
              expect(memory.freeFrames).toBeLessThan(step.pages);
              continue;
            }
            expect(address).toBe(firstFit(live, step.pages, geometry.vmallocStart, geometry.pageSize));
            live.push({ address, pages: step.pages });
            for (let index = 0; index < step.pages; index++) {
              kernel.store32(page(address, index, geometry.pageSize), address + index);
            }
            const used = live.reduce((sum, { pages }) => sum + pages, 0);
            expect(memory.freeFrames).toBe(before - used);
          }
          while (live.length > 0) free(0);
          expect([memory.freeFrames, tables.tablesInUse]).toEqual([before, tablesBefore]);
          expect(reports.take()).toEqual([]);
        }),
        { seed: 2008, numRuns: 60 },
      );
    },
  );
});

/** The lowest address with room for the pages and the guard after them. */
function firstFit(
  live: readonly { address: number; pages: number }[],
  pages: number,
  start: number,
  pageSize: number,
): number {
  const ordered = [...live].sort((one, other) => one.address - other.address);
  let at = start;
  for (const area of ordered) {
    if (area.address >= at + (pages + 1) * pageSize) break;
    at = area.address + (area.pages + 1) * pageSize;
  }
  return at;
}
