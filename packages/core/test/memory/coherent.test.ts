import { describe, expect, test } from "vitest";
import type { KernelAddress, Page, Pfn } from "../../src/contract/units.ts";
import { KernelFault } from "../../src/memory/kernel-fault.ts";
import { machineMemory, present } from "./machine-memory.ts";

function withPages() {
  return machineMemory();
}

function withoutPages() {
  return machineMemory({ ramPages: 64, pagelessPages: 16, coherent: "without-page" });
}

describe.each([
  ["with struct page", withPages],
  ["without struct page", withoutPages],
])("coherent memory %s", (_name, build) => {
  test("is zeroed, contiguous and seen at the same place by CPU and device", () => {
    const { memory, reports } = build();
    const buffer = present(memory.coherent.dmaAllocCoherent(3 * 4096));
    expect(buffer.pages).toBe(4);
    expect(buffer.busAddress).toBe(buffer.pfn * 4096);
    memory.kernel.store32((buffer.cpuAddress + 2 * 4096 + 8) as KernelAddress, 0x1234);
    expect(memory.frames.view.getUint32(buffer.busAddress + 2 * 4096 + 8, true)).toBe(0x1234);
    memory.coherent.dmaFreeCoherent(buffer);
    const again = present(memory.coherent.dmaAllocCoherent(3 * 4096));
    expect(again.pfn).toBe(buffer.pfn);
    for (let at = 0; at < 4 * 4096; at++) {
      expect(memory.frames.bytes[again.busAddress + at]).toBe(0);
    }
    expect(reports.take()).toEqual([]);
  });

  test("gives everything back", () => {
    const { memory, tables } = build();
    const [frames, inUse] = [memory.freeFrames, tables.tablesInUse];
    const buffer = present(memory.coherent.dmaAllocCoherent(5000));
    expect([...memory.frames.inUseByOwner()]).toEqual([["coherent", 2]]);
    expect(memory.coherent.find(buffer.cpuAddress)).toBe(buffer);
    memory.coherent.dmaFreeCoherent(buffer);
    expect(memory.coherent.find(buffer.cpuAddress)).toBeUndefined();
    expect([memory.freeFrames, tables.tablesInUse]).toEqual([frames, inUse]);
    expect(memory.frames.inUseByOwner().size).toBe(0);
  });

  test("freed twice is reported", () => {
    const { memory, reports } = build();
    const buffer = present(memory.coherent.dmaAllocCoherent(1));
    memory.coherent.dmaFreeCoherent(buffer);
    memory.coherent.dmaFreeCoherent(buffer);
    expect(reports.take()).toEqual(["double-free"]);
  });

  test("runs out, fails at the gate, and fails for no bytes", () => {
    const { memory, gate } = build();
    const before = memory.freeFrames;
    expect(memory.coherent.dmaAllocCoherent(2 ** 20 + 1)).toBeUndefined();
    expect(memory.coherent.dmaAllocCoherent(2 ** 40)).toBeUndefined();
    expect(memory.coherent.dmaAllocCoherent(0)).toBeUndefined();
    gate.asked = 0;
    gate.failAt = 1;
    expect(memory.coherent.dmaAllocCoherent(4096)).toBeUndefined();
    expect(memory.freeFrames).toBe(before);
    expect(() => memory.coherent.dmaAllocCoherent(-1)).toThrow(RangeError);
  });
});

describe("LK-07", () => {
  test("coherent memory with struct pages may not be counted page by page", () => {
    const { memory, reports } = withPages();
    const buffer = present(memory.coherent.dmaAllocCoherent(2 * 4096));
    expect(buffer.hasPage).toBe(true);
    memory.frames.get((buffer.pfn + 1) as Page);
    expect(reports.take()).toEqual(["page-kind"]);
  });

  test("coherent memory without struct pages has no page by any way", () => {
    const { memory, reports } = withoutPages();
    const buffer = present(memory.coherent.dmaAllocCoherent(4096));
    expect(buffer.hasPage).toBe(false);
    expect(memory.frames.hasPage(buffer.pfn)).toBe(false);
    expect(() => memory.directMap.virtToPage(buffer.cpuAddress)).toThrow(KernelFault);
    expect(() => memory.directMap.virtToPage(memory.directMap.addressOf(buffer.pfn))).toThrow(KernelFault);
    expect(memory.vmalloc.vmallocToPage(buffer.cpuAddress)).toBeUndefined();
    memory.frames.get(buffer.pfn as Pfn as Page);
    expect(reports.take()).toEqual(["page-kind", "page-kind", "page-kind", "page-kind"]);
  });

  test("needs RAM without struct page where the machine is to have such memory", () => {
    expect(() => machineMemory({ coherent: "without-page" })).toThrow(/pagelessPages/);
  });

  test("without addresses or page tables for it nothing is taken", () => {
    const { memory, tables, reports } = withoutPages();
    const before = memory.freeFrames;
    tables.mayAllocate = () => false;
    expect(memory.coherent.dmaAllocCoherent(4096)).toBeUndefined();
    expect(memory.freeFrames).toBe(before);
    expect(reports.take()).toEqual([]);
  });
});
