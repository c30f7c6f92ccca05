import {
  isCopyOnWrite,
  VM_ACCESS_FLAGS,
  VM_IO,
  VM_PFNMAP,
  VM_READ,
  VM_WRITE,
} from "../contract/area-flags.ts";
import { EFAULT, EINTR, EINVAL, ENOMEM } from "../contract/errno.ts";
import type { Sleepable } from "../contract/execution.ts";
import { PTE_WRITE } from "../mmu/pte.ts";
import type { FaultPatience } from "./fault-result.ts";
import type { Mm } from "./mm.ts";
import { faultIn } from "./pin.ts";
import { standBack } from "./stand-back.ts";
import type { Vma } from "./vma.ts";

/**
 * Faults `[start, end)` in as MAP_POPULATE, MAP_LOCKED and mlock do (`__mm_populate`); holes between areas and bare pfn
 * areas are left out, and private writable ones are written to. Called without the mmap lock.
 *
 * With `ignore`, an error ends only the area in which it came.
 *
 * @returns 0, or the first error with `stop`: -EFAULT, -ENOMEM, -EINTR, -EHWPOISON
 */
export function* populate(mm: Mm, start: number, end: number, errors: "ignore" | "stop"): Sleepable<number> {
  const { machine } = mm;
  let tries = 0;
  for (let address = start; address < end; ) {
    if (machine.sched.isDying(machine.sched.running)) return errors === "stop" ? -EINTR : 0;
    yield* mm.lock.read();
    const area = mm.areas.findEndingAbove(address);
    if (area === undefined || area.start >= end) {
      mm.lock.unlockRead();
      return 0;
    }
    if (area.start > address) address = area.start;
    if ((area.flags & (VM_IO | VM_PFNMAP)) !== 0) {
      address = area.end;
      mm.lock.unlockRead();
      continue;
    }
    const isAccessible = (area.flags & VM_ACCESS_FLAGS) !== 0;
    const result = isAccessible ? yield* populatePage(area, address, wantedAccess(area), tries) : -EFAULT;
    const areaEnd = area.end;
    if (result !== "lock-dropped") mm.lock.unlockRead();
    if (typeof result === "string") {
      yield* standBack(machine, ++tries, "killable");
      continue;
    }
    if (result < 0 && errors === "stop") return result;
    address = result < 0 ? areaEnd : address + mm.pageSize;
    tries = 0;
  }
  return 0;
}

/**
 * Faults `[start, end)` of one area in, with the mmap lock held for writing throughout, so that no fault may wait
 * (`populate_vma_page_range` without `locked`). The first error ends it, and nobody hears of it.
 */
export function* populateHeld(area: Vma, start: number, end: number): Sleepable<void> {
  for (let address = start; address < end; ) {
    const result = yield* populatePage(area, address, wantedAccess(area), 0, "no-wait");
    if (result === 0) address += area.mm.pageSize;
    else if (result !== "again") return;
  }
}

/** Private memory that may be written is copied at once. */
function wantedAccess({ flags }: Vma): "read" | "write" {
  return (flags & VM_WRITE) !== 0 && isCopyOnWrite(flags) ? "write" : "read";
}

/**
 * MADV_POPULATE_READ and MADV_POPULATE_WRITE: fault `[start, end)` in, area by area (`madvise_walk_vmas`,
 * `madvise_populate`), and say what went wrong. What is not mapped is passed over and told at the end.
 *
 * @returns 0; -ENOMEM for a hole, after the rest was done, or lack of memory; -EINVAL for VM_IO, VM_PFNMAP or a forbidden
 *   access; -EFAULT for SIGBUS; -EHWPOISON; -EINTR for a fatal signal
 */
export function* populateRange(
  mm: Mm,
  start: number,
  end: number,
  access: "read" | "write",
): Sleepable<number> {
  const { machine } = mm;
  const needed = access === "write" ? VM_WRITE : VM_READ;
  let tries = 0;
  let hole = false;
  /** The end of the area that is gone through: what goes from before it meanwhile is an error at once. */
  let visited = start;
  for (let address = start; address < end; ) {
    if (machine.sched.isDying(machine.sched.running)) return -EINTR;
    yield* mm.lock.read();
    const area = address === visited ? mm.areas.findEndingAbove(address) : mm.areas.find(address);
    if (area === undefined || area.start >= end) {
      mm.lock.unlockRead();
      return -ENOMEM;
    }
    if (address === visited) {
      if (area.start > address) {
        hole = true;
        address = area.start;
      }
      visited = Math.min(area.end, end);
    }
    if ((area.flags & (VM_IO | VM_PFNMAP)) !== 0 || (area.flags & needed) === 0) {
      mm.lock.unlockRead();
      return -EINVAL;
    }
    const result = yield* populatePage(area, address, access, tries);
    if (result !== "lock-dropped") mm.lock.unlockRead();
    if (typeof result === "string") {
      yield* standBack(machine, ++tries, "killable");
      continue;
    }
    if (result < 0) return result;
    address += mm.pageSize;
    tries = 0;
  }
  return hole ? -ENOMEM : 0;
}

/** Faults one page in unless it is there: 0, a negated errno, or `again` and `lock-dropped` to look once more. */
function* populatePage(
  area: Vma,
  address: number,
  access: "read" | "write",
  tries: number,
  patience: FaultPatience = "killable",
): Sleepable<number | "again" | "lock-dropped"> {
  const entry = area.mm.table.entryOf(address * area.mm.perPage);
  if (entry !== 0 && (access === "read" || (entry & PTE_WRITE) !== 0)) return 0;
  const result = yield* faultIn(area, address, access, tries, patience);
  return result === 0 ? "again" : result;
}
