import { VM_PFNMAP } from "../contract/area-flags.ts";
import { EINVAL, ENOMEM } from "../contract/errno.ts";
import type { Sleepable } from "../contract/execution.ts";
import { noteLook } from "./entry-points.ts";
import type { Mm } from "./mm.ts";
import { pageAlign } from "./munmap.ts";
import type { Vma } from "./vma.ts";

/**
 * `mincore(2)`: for each page of `[address, address + length)`, whether a touch would find it in memory: it has an
 * entry, or its memory file has it. A bare pfn area shows nothing (PF-09).
 *
 * @returns one answer a page; -EINVAL unaligned; -ENOMEM for a range beyond user space (`access_ok`), and when part of it is not mapped
 */
export function* mincore(mm: Mm, address: number, length: number): Sleepable<readonly boolean[] | number> {
  if (address % mm.pageSize !== 0) return -EINVAL;
  if (!(length >= 0) || length > mm.machine.geometry.userEnd - address) return -ENOMEM;
  const end = address + pageAlign(mm, length);
  const found: boolean[] = [];
  yield* mm.lock.read();
  for (let at = address; at < end; ) {
    const area = mm.areas.find(at);
    if (area === undefined) {
      mm.lock.unlockRead();
      return -ENOMEM;
    }
    for (const areaEnd = Math.min(area.end, end); at < areaEnd; at += mm.pageSize)
      found.push(isInCore(area, at));
  }
  mm.lock.unlockRead();
  return found;
}

function isInCore(area: Vma, address: number): boolean {
  const { mm, file } = area;
  if ((area.flags & VM_PFNMAP) !== 0) return false;
  noteLook(mm, address * mm.perPage);
  if (mm.table.entryOf(address * mm.perPage) !== 0) return true;
  return file !== undefined && mm.machine.sharedMemory.isCached(file, area.pgoffOf(address));
}
