import type { Atomic, Sleepable } from "../contract/execution.ts";
import type { EntryView } from "../contract/kernel.ts";
import type { Page } from "../contract/units.ts";
import { PTE_READ, PTE_SPECIAL, PTE_WRITE, ptePfn } from "../mmu/pte.ts";
import { Access } from "../sched/points.ts";
import { entryPoint } from "./entry-points.ts";
import type { Mm } from "./mm.ts";

/**
 * Runs a body on what a process's page table says about an address, with the page-table lock held
 * (`pte_offset_map_lock` to `pte_unmap_unlock`). The mmap lock is held for reading at least.
 */
export function* withEntry<T>(
  mm: Mm,
  address: number,
  body: (entry: EntryView | undefined) => Atomic<T>,
): Atomic<T> {
  return yield* mm.pageTableLock.with(() => looking(mm, Math.floor(address * mm.perPage), body));
}

function* looking<T>(mm: Mm, vpn: number, body: (entry: EntryView | undefined) => Atomic<T>): Atomic<T> {
  if (mm.machine.sched.interleaving) yield entryPoint(mm, vpn, Access.read);
  return yield* body(viewEntry(mm, mm.table.entryOf(vpn)));
}

/** Undefined where nothing can be loaded: no entry, or that of a PROT_NONE area (`pte_protnone`). */
function viewEntry(mm: Mm, entry: number): EntryView | undefined {
  if ((entry & PTE_READ) === 0) return undefined;
  const { memory, zeroPage } = mm.machine;
  const pfn = ptePfn(entry);
  // The page of zeros is special, and the only special entry that stands for a page (`is_zero_pfn`).
  const isBare = (entry & PTE_SPECIAL) !== 0 && (pfn as number) !== zeroPage;
  const page: Page | undefined = isBare ? undefined : memory.frames.pageOf(pfn);
  return { page, isWritable: (entry & PTE_WRITE) !== 0 };
}

/** Runs a body with the mmap lock held for reading (`mmap_read_lock`). */
export function* reading<T>(mm: Mm, body: () => Atomic<T>): Sleepable<T> {
  yield* mm.lock.read();
  try {
    return yield* body();
  } finally {
    mm.lock.unlockRead();
  }
}

/** The same if nobody writes; undefined otherwise (`mmap_read_trylock`). */
export function* tryReading<T>(mm: Mm, body: () => Atomic<T>): Atomic<T | undefined> {
  if (!(yield* mm.lock.tryRead())) return undefined;
  try {
    return yield* body();
  } finally {
    mm.lock.unlockRead();
  }
}
