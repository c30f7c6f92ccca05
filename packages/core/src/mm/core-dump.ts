import type { Area } from "../contract/area.ts";
import { VM_DONTDUMP, VM_IO, VM_SHARED } from "../contract/area-flags.ts";
import type { Mm } from "./mm.ts";
import type { Vma } from "./vma.ts";

/**
 * The areas whose contents a core dump would hold (`vma_dump_size` with the default filter): private memory that was
 * written, and shared memory that no file name stands for. VM_DONTDUMP leaves an area out, and VM_IO does whatever
 * that says (PE-06).
 */
export function dumpedAreas(mm: Mm): readonly Area[] {
  return mm.areas.all().filter(isDumped);
}

function isDumped(area: Vma): boolean {
  if ((area.flags & (VM_DONTDUMP | VM_IO)) !== 0) return false;
  const { file } = area;
  if ((area.flags & VM_SHARED) !== 0)
    return file !== undefined && area.mm.machine.sharedMemory.isMemory(file);
  return area.hasPrivateCopies;
}
