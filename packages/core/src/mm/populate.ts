import { isCopyOnWrite, VM_IO, VM_PFNMAP, VM_READ, VM_WRITE } from "../contract/area-flags.ts";
import { EFAULT, EINTR, EINVAL, ENOMEM } from "../contract/errno.ts";
import type { Sleepable } from "../contract/execution.ts";
import type { Mm } from "./mm.ts";
import { faultIn } from "./pin.ts";

/**
 * Faults `[start, end)` in as MAP_POPULATE, MAP_LOCKED and mlock do (`mm_populate`); errors are ignored, bare pfn
 * areas left out. Called without the mmap lock.
 */
export function* populate(mm: Mm, start: number, end: number): Sleepable<void> {
  for (let address = start; address < end; address += mm.pageSize) {
    yield* mm.lock.read();
    const area = mm.areas.find(address);
    if (area === undefined || (area.flags & (VM_IO | VM_PFNMAP)) !== 0) {
      mm.lock.unlockRead();
      continue;
    }
    const wantsWrite = (area.flags & VM_WRITE) !== 0 && isCopyOnWrite(area.flags);
    const readable = (area.flags & (VM_READ | VM_WRITE)) !== 0;
    const lock = readable ? yield* faultIn(area, address, wantsWrite ? "write" : "read", "killable") : 0;
    if (lock !== "lock-dropped") mm.lock.unlockRead();
    else address -= mm.pageSize;
  }
}

/**
 * MADV_POPULATE_READ and MADV_POPULATE_WRITE: fault `[start, end)` in and say what went wrong (`faultin_page_range`).
 *
 * @returns 0; -ENOMEM for a hole or lack of memory; -EINVAL for VM_IO, VM_PFNMAP or a forbidden access; -EFAULT for
 *   SIGBUS; -EINTR for a fatal signal
 */
export function* populateRange(
  mm: Mm,
  start: number,
  end: number,
  access: "read" | "write",
): Sleepable<number> {
  for (let address = start; address < end; ) {
    yield* mm.lock.read();
    const area = mm.areas.find(address);
    const needed = access === "write" ? VM_WRITE : VM_READ;
    const refusal =
      area === undefined
        ? -ENOMEM
        : (area.flags & (VM_IO | VM_PFNMAP)) !== 0 || (area.flags & needed) === 0
          ? -EINVAL
          : 0;
    if (area === undefined || refusal !== 0) {
      mm.lock.unlockRead();
      return refusal;
    }
    const result = yield* faultIn(area, address, access, "killable");
    if (result === "lock-dropped") continue;
    mm.lock.unlockRead();
    if (result === -EINTR) return -EINTR;
    if (result < 0) return result === -ENOMEM ? -ENOMEM : -EFAULT;
    address += mm.pageSize;
  }
  return 0;
}
