import {
  type BackingMemory,
  type Kernel,
  type KernelAddress,
  type Machine,
  type MappingStrategy,
  owners,
} from "@nopage/core";
import { type OddMemory, SECRET } from "../subject/subject.ts";
import { createTestDevice } from "../test-device.ts";

/** The name under which odd memory is shown. */
export const ODD_DEVICE = "/dev/odd";

/** Every kind, by its number in commands. */
export const oddKinds: readonly OddMemory[] = ["slab", "bare-block", "unaligned"];

/** Shows odd memory through a strategy: its length in bytes. Once a machine. */
export function showOdd(machine: Machine, kernel: Kernel, strategy: MappingStrategy, kind: number): number {
  const { address, pages } = take(machine, oddKinds[kind] ?? "slab");
  const memory: BackingMemory = { kind: "linear", address };
  createTestDevice(machine, kernel, strategy, { path: ODD_DEVICE, memory, pages });
  return pages * machine.geometry.pageSize;
}

/** Takes the memory from the allocator; it is never given back. */
function take(
  { memory: { kmalloc, pages, directMap, kernel: words }, geometry: { pageSize } }: Machine,
  kind: OddMemory,
): { readonly address: KernelAddress; readonly pages: number } {
  if (kind === "slab") {
    for (let tries = 0; tries < 4; tries++) {
      const address = taken(kmalloc.kzalloc(pageSize / 2));
      if (address % pageSize === 0) return { address, pages: 1 };
    }
    throw new Error("no object of a slab begins with a page");
  }
  if (kind === "bare-block") {
    return { address: directMap.addressOf(taken(pages.getFreePages(1, "bare", owners.driver))), pages: 2 };
  }
  const address = directMap.addressOf(taken(pages.allocZeroedPage(owners.driver)));
  words.store32(address, SECRET);
  return { address: (address + pageSize / 2) as KernelAddress, pages: 1 };
}

function taken<T>(allocated: T | undefined): T {
  if (allocated === undefined) throw new Error("the law's machine is out of memory");
  return allocated;
}
