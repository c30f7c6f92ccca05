import type { Backing } from "../contract/backing.ts";
import type { Pfn } from "../contract/units.ts";
import type { PhysicalMemory } from "../memory/physical-memory.ts";

/** The first frame of what is one run of frames; see `Mappings.firstFrame`. */
export function firstFrame({ coherent }: PhysicalMemory, { memory, pages }: Backing): Pfn | undefined {
  if (memory.kind === "pfn-run") return memory.pfn;
  const buffer = memory.kind === "coherent" ? coherent.find(memory.address) : undefined;
  return buffer === undefined || buffer.pages < pages ? undefined : buffer.pfn;
}
