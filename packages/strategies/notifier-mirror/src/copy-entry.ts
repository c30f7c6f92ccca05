import {
  type Atomic,
  type DeviceAccess,
  EAGAIN,
  EFAULT,
  type EntryView,
  type Page,
} from "@nopage/core/contract";

/**
 * Decides by the process's own entry: -EAGAIN where a fault has to come first, -EFAULT for a bare pfn, which nobody
 * would tell the device of; else what `insert` answers. A page that is only read gets the rights that the process has,
 * never more.
 */
export function* copyFrom<T>(
  entry: EntryView | undefined,
  access: DeviceAccess,
  insert: (page: Page, isWritable: boolean) => Atomic<T>,
): Atomic<T | number> {
  if (entry === undefined) return -EAGAIN;
  if (entry.page === undefined) return -EFAULT;
  if (access === "write" && !entry.isWritable) return -EAGAIN;
  return yield* insert(entry.page, entry.isWritable);
}
