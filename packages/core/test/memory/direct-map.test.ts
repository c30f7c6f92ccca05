import { describe, expect, test } from "vitest";
import type { KernelAddress, Page, Pfn } from "../../src/contract/units.ts";
import { KernelFault } from "../../src/memory/kernel-fault.ts";
import { geometries, i386, x86_64 } from "../../src/mmu/geometry.ts";
import { machineMemory, present } from "./machine-memory.ts";

describe("the direct map", () => {
  test.each(Object.values(geometries))(
    "of $name is a shift, both ways, for every byte of RAM",
    (geometry) => {
      const { memory } = machineMemory({ geometry, ramPages: 64, pagelessPages: 8 });
      const { directMap } = memory;
      for (const pfn of [0, 1, 63, 64, 71] as Pfn[]) {
        const address = directMap.addressOf(pfn);
        expect(address).toBe(geometry.directMapStart + pfn * geometry.pageSize);
        expect(directMap.pfnOf(address)).toBe(pfn);
        expect(directMap.pfnOf((address + geometry.pageSize - 1) as KernelAddress)).toBe(pfn);
      }
      expect(directMap.pfnOf(directMap.end)).toBeUndefined();
      expect(directMap.pfnOf((directMap.start - 1) as KernelAddress)).toBeUndefined();
    },
  );

  test("that would reach into the vmalloc area is refused", () => {
    const frames = (i386.vmallocStart - i386.directMapStart) / i386.pageSize;
    expect(() => machineMemory({ geometry: i386, ramPages: frames + 1 })).toThrow(/196608 at most/);
    expect(machineMemory({ geometry: i386, ramPages: frames }).memory.directMap.end).toBe(i386.vmallocStart);
  });
});

describe("virtToPage", () => {
  const { memory, reports } = machineMemory({ ramPages: 64, pagelessPages: 8 });
  const { directMap, vmalloc } = memory;

  test("is the page under any of its bytes", () => {
    const address = (directMap.addressOf(9 as Page) + 4095) as KernelAddress;
    expect(directMap.virtToPage(address)).toBe(9);
    expect(reports.take()).toEqual([]);
  });

  test.each([
    ["a vmalloc address", () => present(vmalloc.vmalloc(1))],
    ["RAM without struct page", () => directMap.addressOf(64 as Pfn)],
    ["the end of RAM", () => directMap.end],
    ["NULL", () => 0 as KernelAddress],
    ["a user address", () => 0x400000 as KernelAddress],
    ["the end of the address space", () => (x86_64.vmallocEnd + 8) as KernelAddress],
  ])("traps on %s", (_what, address) => {
    expect(() => directMap.virtToPage(address())).toThrow(KernelFault);
    expect(reports.take()).toEqual(["page-kind"]);
  });
});
