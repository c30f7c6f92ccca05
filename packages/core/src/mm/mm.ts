import type { Machine } from "../machine.ts";
import type { PageTable } from "../mmu/page-table.ts";
import { spaceNumber } from "../mmu/tlb.ts";
import { Access, ObjectKind } from "../sched/points.ts";
import { RwSemaphore } from "../sched/rw-semaphore.ts";
import { SpinLock } from "../sched/spin-lock.ts";
import { AreaMap } from "./area-map.ts";
import type { NopageCall } from "./nopage-call.ts";
import { Notifiers } from "./notifiers.ts";

/** More than any level of any geometry has entries for the user half: see `Mm.entryId`. */
const ENTRIES_A_LEVEL = 2 ** 36;

/**
 * The address space of a process (`struct mm_struct`).
 *
 * Which lock guards what: `areas`, the areas' bounds and flags, and the totals by `lock`; entries of `table` by
 * `pageTableLock`, except that whole tables are only freed with `lock` held for writing.
 */
export class Mm {
  readonly id: number;
  readonly name: string;
  readonly machine: Machine;
  /** The mmap lock (`mmap_lock`; `mmap_sem` before 5.8). */
  readonly lock: RwSemaphore;
  /** The page-table lock (`page_table_lock`); one for the whole mm. */
  readonly pageTableLock: SpinLock;
  readonly areas = new AreaMap();
  readonly table: PageTable;
  readonly notifiers: Notifiers;
  readonly pageSize: number;
  readonly perPage: number;

  /** Counted pages that entries map: of files and devices (`MM_FILEPAGES`). */
  rssFile = 0;
  /** Counted pages that entries map: private ones (`MM_ANONPAGES`). */
  rssAnon = 0;
  /** The identity of both for the scheduler. */
  readonly rssCell: number;
  /** The identity of the two totals that follow. */
  readonly totalsCell: number;
  /** Pages in all areas (`total_vm`). */
  totalPages = 0;
  /** Pages in locked areas (`locked_vm`). */
  lockedPages = 0;
  /** Pages charged by those who pin for long (`pinned_vm`): an atomic counter, announced as `pinnedCell`. */
  pinnedPages = 0;
  readonly pinnedCell: number;
  /** The CPUs whose TLB may hold translations of this mm: bit c for CPU c (`mm_cpumask`). */
  cpus = 0;
  /** Operations that removed entries but have not flushed yet (`tlb_flush_pending`): announced as `flushCell`. */
  flushesPending = 0;
  readonly flushCell: number;
  /** Threads and others who use the address space (`mm_users`): at 0 it is taken down. Announced as `usersCell`. */
  users = 1;
  readonly usersCell: number;
  /** Whether any of its pages was ever pinned: fork then looks (`MMF_HAS_PINNED`). */
  hasPinned = false;
  /** The record of a fault that is over, for the next one: on Linux it lies on the stack. Absent while a fault uses it. */
  idleCall: NopageCall | undefined = undefined;
  /** Nobody runs here and nobody ever will: what it maps is held and can be reached by no load or store; see `createGhost`. */
  isGhost = false;
  /** Where the search for a free range in the low zone starts, downwards (`free_area_cache`). */
  gapHint: number;

  /** Made by `Machine.createMm`, which knows the address spaces that there are. */
  constructor(machine: Machine, id: number, name: string, table: PageTable) {
    this.machine = machine;
    this.id = id;
    this.name = name;
    this.lock = new RwSemaphore(machine.sched, "mmap_lock");
    this.pageTableLock = new SpinLock(machine.sched, "page_table_lock");
    this.table = table;
    this.notifiers = new Notifiers(machine.sched, this);
    this.pageSize = machine.geometry.pageSize;
    this.perPage = 1 / this.pageSize;
    this.rssCell = machine.sched.nextObject();
    this.totalsCell = machine.sched.nextObject();
    this.pinnedCell = machine.sched.nextObject();
    this.flushCell = machine.sched.nextObject();
    this.usersCell = machine.sched.nextObject();
    this.gapHint = machine.mmapLowTop;
  }

  /** Counted pages mapped (`VmRSS`), in pages. */
  get rss(): number {
    return this.rssFile + this.rssAnon;
  }

  /**
   * The number of the entry of `level` that maps page `vpn`, for the scheduler: by address, so that an entry has one
   * whether or not its table exists. Ten bits tell apart the address spaces that exist at one time, two the level and 36
   * the entry; a number serves another address space once its owner is gone.
   */
  entryId(vpn: number, level = 0): number {
    const entry = level === 0 ? vpn : Math.floor(vpn / this.table.pagesAt(level));
    return (spaceNumber(this.id) * 4 + level) * ENTRIES_A_LEVEL + entry;
  }

  /** Puts pages on the totals of areas, or takes them off; the mmap lock is held for writing (`vm_stat_account`). */
  charge(total: number, locked: number): void {
    this.machine.sched.note(ObjectKind.cell, this.totalsCell, Access.countUp);
    this.totalPages += total;
    this.lockedPages += locked;
  }

  /** Whether the mm still has users, taking one more if so (`mmget_not_zero`). */
  tryUse(): boolean {
    // A plain function, so that it cannot announce what it touches.
    this.machine.sched.note(ObjectKind.cell, this.usersCell, Access.write);
    if (this.users === 0) return false;
    this.users++;
    return true;
  }
}
