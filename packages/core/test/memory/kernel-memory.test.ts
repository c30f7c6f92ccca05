import { describe, expect, test } from "vitest";
import type { KernelAddress, Page, Pfn } from "../../src/contract/units.ts";
import { KernelFault } from "../../src/memory/kernel-fault.ts";
import { owners } from "../../src/memory/owners.ts";
import { machineMemory, present } from "./machine-memory.ts";

function kernel() {
  const under = machineMemory({ pagelessPages: 4 });
  const { memory } = under;
  const linear = memory.directMap.addressOf(present(memory.pages.getFreePages(1, "split", owners.driver)));
  const scattered = present(memory.vmalloc.vmalloc(4 * 4096));
  return { ...under, kernel: memory.kernel, linear, scattered };
}

function at(address: KernelAddress, offset: number): KernelAddress {
  return (address + offset) as KernelAddress;
}

describe("loads and stores", () => {
  test.each([0, 1, 4093, 4095])("are little-endian and need no alignment (offset %i)", (offset) => {
    const { kernel: kernelMemory, scattered, linear, reports } = kernel();
    for (const address of [at(scattered, offset), at(linear, offset)]) {
      kernelMemory.store64(address, 0x8877665544332211n);
      expect(kernelMemory.load64(address)).toBe(0x8877665544332211n);
      expect(kernelMemory.load32(at(address, 4))).toBe(0x88776655);
      expect(kernelMemory.load8(at(address, 3))).toBe(0x44);
      kernelMemory.store32(at(address, 1), -1);
      expect(kernelMemory.load64(address)).toBe(0x887766ffffffff11n);
      kernelMemory.store8(address, 0x1ab);
      expect(kernelMemory.load8(address)).toBe(0xab);
    }
    expect(reports.take()).toEqual([]);
  });

  test("of blocks reach every page of an area, and the right one", () => {
    const { kernel: kernelMemory, memory, scattered } = kernel();
    const source = Uint8Array.from({ length: 3 * 4096 }, (_, index) => index % 251);
    kernelMemory.write(at(scattered, 100), source);
    const target = new Uint8Array(source.length);
    kernelMemory.read(at(scattered, 100), target);
    expect(target).toEqual(source);
    const second = present(memory.vmalloc.vmallocToPage(at(scattered, 4096)));
    expect(memory.frames.bytes[second * 4096]).toBe((4096 - 100) % 251);
  });

  test("copies go between the mappings, whatever the offsets in the page", () => {
    const { kernel: kernelMemory, scattered, linear } = kernel();
    for (let word = 0; word < 1500; word++) kernelMemory.store32(at(linear, 4 * word), word);
    kernelMemory.copy(at(scattered, 1234), linear, 6000);
    for (let word = 0; word < 1500; word++) {
      expect(kernelMemory.load32(at(scattered, 1234 + 4 * word))).toBe(word);
    }
  });

  test("make frames initialised as far as they write them", () => {
    const { kernel: kernelMemory, memory, linear } = kernel();
    const page = memory.directMap.virtToPage(linear);
    kernelMemory.fill(linear, 1, 100);
    kernelMemory.store32(at(linear, 100), 1);
    kernelMemory.store8(at(linear, 104), 1);
    expect(memory.frames.initialisedBytes(page)).toBe(105);
    kernelMemory.fill(at(linear, 105), 1, 8192 - 105);
    expect(memory.frames.initialisedBytes(page)).toBe(4096);
    expect(memory.frames.initialisedBytes((page + 1) as Page)).toBe(4096);
  });
});

describe("a fault", () => {
  test.each([
    ["NULL", () => 0],
    ["a user address", () => 0x400000],
    ["a guard page", (scattered: number) => scattered + 4 * 4096],
    ["the end of RAM", (_scattered: number, end: number) => end],
  ])("is the answer at %s", (_what, where) => {
    const { kernel: kernelMemory, memory, scattered } = kernel();
    const address = where(scattered, memory.directMap.end) as KernelAddress;
    expect(() => kernelMemory.load32(address)).toThrow(KernelFault);
    expect(() => kernelMemory.store8(address, 1)).toThrow(KernelFault);
    expect(() => kernelMemory.fill(address, 1, 10)).toThrow(KernelFault);
  });

  test("names the address, and comes after the bytes before it are stored", () => {
    const { kernel: kernelMemory, scattered } = kernel();
    const start = at(scattered, 4 * 4096 - 2);
    let fault: unknown;
    try {
      kernelMemory.fill(start, 9, 4);
    } catch (error) {
      fault = error;
    }
    expect(fault).toBeInstanceOf(KernelFault);
    expect((fault as KernelFault).address).toBe(scattered + 4 * 4096);
    expect(kernelMemory.load8(at(start, 1))).toBe(9);
  });

  test("is the answer where device registers are mapped", () => {
    const { kernel: kernelMemory, memory } = kernel();
    const registers = present(memory.vmalloc.map(0xfe000 as Pfn, 1));
    expect(() => kernelMemory.load32(registers)).toThrow(KernelFault);
  });
});

describe("memory that nobody holds", () => {
  test("is reported when it is touched, whichever way", () => {
    const { kernel: kernelMemory, memory, linear, reports } = kernel();
    memory.frames.put(memory.directMap.virtToPage(linear));
    kernelMemory.store32(linear, 5);
    expect(kernelMemory.load32(linear)).toBe(5);
    expect(reports.take()).toEqual(["use-after-free", "use-after-free"]);
  });

  test("without struct page can be touched while it is held", () => {
    const { memory, reports } = machineMemory({ pagelessPages: 4, coherent: "without-page" });
    const buffer = present(memory.coherent.dmaAllocCoherent(4096));
    memory.kernel.store32(buffer.cpuAddress, 77);
    expect(memory.kernel.load32(memory.directMap.addressOf(buffer.pfn))).toBe(77);
    memory.coherent.dmaFreeCoherent(buffer);
    expect(reports.take()).toEqual([]);
    memory.kernel.load32(memory.directMap.addressOf(buffer.pfn));
    expect(reports.take()).toEqual(["use-after-free"]);
  });
});
