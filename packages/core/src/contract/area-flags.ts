/**
 * Flags of an area (`vm_flags`, include/linux/mm.h, 6.1). The MAY bits say what mprotect may still grant.
 */

export const VM_READ = 0x0000_0001;
export const VM_WRITE = 0x0000_0002;
export const VM_EXEC = 0x0000_0004;
/** Stores are seen by everybody who maps the object. */
export const VM_SHARED = 0x0000_0008;
export const VM_MAYREAD = 0x0000_0010;
export const VM_MAYWRITE = 0x0000_0020;
export const VM_MAYEXEC = 0x0000_0040;
export const VM_MAYSHARE = 0x0000_0080;
/** Entries are bare pfns: no page is counted, pinned or reverse-mapped through this area. */
export const VM_PFNMAP = 0x0000_0400;
/** The area's pages stay in memory (mlock). */
export const VM_LOCKED = 0x0000_2000;
/** The area shows I/O memory: no core dump, no MADV_DOFORK. */
export const VM_IO = 0x0000_4000;
/** A child process does not get this area (MADV_DONTFORK). */
export const VM_DONTCOPY = 0x0002_0000;
/** mremap may not grow the area. */
export const VM_DONTEXPAND = 0x0004_0000;
/** Its pages may all become private ones, and the process was charged for them when it was made so; it stays so. */
export const VM_ACCOUNT = 0x0010_0000;
/** Left out of core dumps (MADV_DONTDUMP). */
export const VM_DONTDUMP = 0x0400_0000;
/** The area holds both counted pages and bare pfns. */
export const VM_MIXEDMAP = 0x1000_0000;

/** The bits that mprotect changes. */
export const VM_ACCESS_FLAGS = VM_READ | VM_WRITE | VM_EXEC;
/** Areas that are never merged, locked or dumped on request (`VM_SPECIAL`). */
export const VM_SPECIAL = VM_IO | VM_DONTEXPAND | VM_PFNMAP | VM_MIXEDMAP;
/** An access bit shifted left by this is its MAY bit. */
export const MAY_SHIFT = 4;

const names: readonly (readonly [number, string])[] = [
  [VM_READ, "rd"],
  [VM_WRITE, "wr"],
  [VM_EXEC, "ex"],
  [VM_SHARED, "sh"],
  [VM_MAYREAD, "mr"],
  [VM_MAYWRITE, "mw"],
  [VM_MAYEXEC, "me"],
  [VM_MAYSHARE, "ms"],
  [VM_PFNMAP, "pf"],
  [VM_LOCKED, "lo"],
  [VM_IO, "io"],
  [VM_DONTCOPY, "dc"],
  [VM_DONTEXPAND, "de"],
  [VM_ACCOUNT, "ac"],
  [VM_DONTDUMP, "dd"],
  [VM_MIXEDMAP, "mm"],
];

/** The flags as /proc/PID/smaps prints them in VmFlags, in its order: `rd wr sh mr mw me ms io pf de dd`. */
export function areaFlagNames(flags: number): readonly string[] {
  return names.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name);
}

/** Whether memory for a copy of every page is charged (`accountable_mapping`): private memory that may be written. */
export function isAccountable(flags: number): boolean {
  return (flags & (VM_SHARED | VM_WRITE)) === VM_WRITE;
}

/** Whether a store makes a private copy (`is_cow_mapping`): not shared, but writable now or later. */
export function isCopyOnWrite(flags: number): boolean {
  return (flags & (VM_SHARED | VM_MAYWRITE)) === VM_MAYWRITE;
}
