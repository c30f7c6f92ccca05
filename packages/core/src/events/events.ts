/**
 * Every operation that the event log knows, with the names of its fields. Addresses are in bytes, lengths in pages
 * where the name says so, times in virtual nanoseconds.
 */
export const eventFields = {
  mmap: ["mm", "address", "pages"],
  munmap: ["mm", "address", "pages"],
  mremap: ["mm", "from", "to"],
  mprotect: ["mm", "address", "flags"],
  madvise: ["mm", "address", "advice"],
  fork: ["parentMm", "childMm", "process"],
  exit: ["process", "mm", "status"],
  fault: ["mm", "address", "isWrite"],
  "fault-done": ["mm", "address", "pfn"],
  "fault-waits": ["mm", "address", "area"],
  signal: ["process", "signal", "address"],
  "pte-set": ["mm", "vpn", "entry"],
  "pte-clear": ["mm", "vpn", "pages"],
  "tlb-flush": ["cpu", "start", "end"],
  "tlb-shootdown": ["cpu", "start", "end"],
  "area-open": ["area", "mm", "pages"],
  "area-close": ["area", "mm", "pages"],
  zap: ["mm", "start", "end"],
  "unmap-mapping-range": ["firstPage", "pages", "areas"],
  "page-free": ["pfn"],
  pin: ["mm", "address", "pages"],
  unpin: ["pfn", "pages"],
  "gate-close": ["gate", "closers"],
  "gate-open": ["gate", "closers"],
  "gate-remove": ["gate"],
  "file-open": ["inode", "process"],
  "file-release": ["inode"],
  "module-load": ["module"],
  "module-unload": ["module"],
  "pci-unplug": ["line"],
  "interrupt-raise": ["line", "cpu"],
  "interrupt-handle": ["line", "cpu"],
  "register-read": ["offset", "width", "value"],
  "register-write": ["offset", "width", "value"],
  "dma-start": ["busAddress", "bytes", "toMemory"],
  "dma-burst": ["busAddress", "bytes", "toMemory"],
  "dma-end": ["busAddress", "bytes", "toMemory"],
  "notifier-begin": ["mm", "start", "end"],
  "notifier-end": ["mm", "start", "end"],
  "notifier-release": ["mm"],
  violation: ["kind"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type EventName = keyof typeof eventFields;

/** The operations in the order of their numbers in the log. */
export const eventNames = Object.keys(eventFields) as readonly EventName[];
