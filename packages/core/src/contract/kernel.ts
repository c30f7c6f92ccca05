import type { DeviceRegistry } from "../device/device-registry.ts";
import type { BackingShape, MappingBinding } from "../device/mapping-binding.ts";
import type { PciBus } from "../device/pci-bus.ts";
import type { PinningBinding } from "../device/pinning-binding.ts";
import type { EventLog } from "../events/event-log.ts";
import type { IoRange, IoWidth } from "../memory/io-ranges.ts";
import type { PhysicalMemory } from "../memory/physical-memory.ts";
import type { AddressSpace } from "../mm/address-space.ts";
import type { Mm } from "../mm/mm.ts";
import type { PageRequest } from "../mm/pin.ts";
import type { RemapRequest } from "../mm/remap.ts";
import type { ZapReach } from "../mm/zap.ts";
import type { Geometry } from "../mmu/geometry.ts";
import type { Mutex } from "../sched/mutex.ts";
import type { Plain } from "../sched/plain.ts";
import type { Rcu } from "../sched/rcu.ts";
import type { RwSemaphore } from "../sched/rw-semaphore.ts";
import type { Shared } from "../sched/shared.ts";
import type { SpinLock } from "../sched/spin-lock.ts";
import type { Task } from "../sched/task.ts";
import type { WaitQueue } from "../sched/wait-queue.ts";
import type { Area } from "./area.ts";
import type { Backing } from "./backing.ts";
import type { Atomic, MayInterleave, Sleepable } from "./execution.ts";
import type { IntervalNotifier, IntervalSubscription, MmuNotifier } from "./mmu-notifier.ts";
import type { FaultOutcome, PfnOutcome } from "./outcome.ts";
import type { PinningPolicy } from "./pinning-policy.ts";
import type { MappingStrategy } from "./strategy.ts";
import type { Page, Pfn, UserAddress, VirtualNs } from "./units.ts";

/**
 * What the kernel offers to a plugin: a strategy, a pinning policy or a driver. Every function names the Linux function
 * it stands for.
 */
export interface Kernel {
  readonly geometry: Geometry;
  /** Frames, allocators, I/O windows. */
  readonly memory: PhysicalMemory;
  readonly pages: PageCounts;
  readonly mappings: Mappings;
  readonly user: UserAccess;
  readonly ghosts: Ghosts;
  readonly sync: Synchronisation;
  readonly time: Time;
  readonly mmio: Mmio;
  readonly devices: DeviceRegistry;
  readonly pci: PciBus;
  /** What happened so far; a plugin may read it and nothing else. */
  readonly log: EventLog;
  /** Binds memory of a device to a strategy; a driver does this once. */
  bind(strategy: MappingStrategy, shape: BackingShape): MappingBinding;
  /** Binds a device to a pinning policy, whose answers are checked from then on; a driver does this once. */
  bindPinning(policy: PinningPolicy): PinningBinding;
  /** A breach of a hardware rule that a device model has seen, and by name the device whose transfers it may have met. */
  reportDeviceRule(message: string, device?: string): void;
}

/** References of pages, each a step of its own. */
export interface PageCounts {
  /** `get_page`: one reference more on a page that has at least one. */
  get(page: Page): Atomic<void>;
  /**
   * What a `nopage` hook answers in order to show a page: the page, with one reference more for the core. The owner may
   * free the page meanwhile: then the hook is asked again, and if the page was handed out anew before the reference
   * was taken, the core's second look at the gate finds out.
   *
   * `sigbus` for a page that may not be mapped, and for one whose count is at its limit.
   */
  handOver(page: Page): MayInterleave<FaultOutcome>;
  /** `put_page`: one reference less; the last one frees the page. */
  put(page: Page): Atomic<void>;
  /** `pfn_valid` and `pfn_to_page`: undefined for I/O and for RAM without struct page. */
  of(pfn: Pfn): Page | undefined;
  /**
   * Whether a page may be mapped as one (`validate_page_before_insert`): it is handed out, neither anonymous nor part
   * of a slab, and has a count of its own or a compound page's. The fault path does not ask (LK-03): a strategy must.
   */
  mayBeMapped(page: Page): boolean;
}

/** What a process's own page table says about one address; true while the page-table lock is held. */
export interface EntryView {
  /** The page, the page of zeros included; undefined for a bare pfn, which nobody may keep (`vm_normal_page`). */
  readonly page: Page | undefined;
  /** Whether the process may store through the entry as it is. */
  readonly isWritable: boolean;
}

/** Entries in the page tables of processes. */
export interface Mappings {
  /**
   * Runs a body with the page-table lock held, on the entry of an address (`pte_offset_map_lock` to
   * `pte_unmap_unlock`): undefined where the process itself could not load. The mmap lock is held.
   */
  withEntry<T>(mm: Mm, address: UserAddress, body: (entry: EntryView | undefined) => Atomic<T>): Atomic<T>;
  /** Runs a body with the mmap lock held for reading (`mmap_read_lock`). */
  reading<T>(mm: Mm, body: () => Atomic<T>): Sleepable<T>;
  /** The same without waiting: undefined while somebody writes (`mmap_read_trylock`). */
  tryReading<T>(mm: Mm, body: () => Atomic<T>): Atomic<T | undefined>;
  /**
   * The first frame of memory that is one run of frames; of coherent memory the one that the DMA layer knows
   * (`dma_mmap_coherent`, LK-07), its addresses being no way to it. Undefined for other kinds of memory, and for a
   * coherent buffer that is freed or shorter than the backing says.
   */
  firstFrame(backing: Backing): Pfn | undefined;
  /** `remap_pfn_range`; see `remapPfnRange` in mm/remap.ts. In the mmap hook only. */
  remapPfnRange(area: Area, request: RemapRequest): Sleepable<number>;
  /** Fills what is missing of an earlier `remapPfnRange`, with the mmap lock held for reading. */
  remapMissing(area: Area, request: RemapRequest): Sleepable<number>;
  /** `vmf_insert_pfn`: looks at no gate. */
  insertPfn(area: Area, address: UserAddress, pfn: Pfn): Sleepable<PfnOutcome>;
  /** `vm_insert_page`. */
  insertPage(area: Area, address: UserAddress, page: Page): Sleepable<number>;
  /**
   * `generic_access_phys`: what an `access` hook answers with for an area of bare pfns. The bytes moved, of one page at
   * most, or -EINVAL.
   */
  accessPhys(
    area: Area,
    address: UserAddress,
    buffer: Uint8Array,
    direction: "read" | "write",
  ): Sleepable<number>;
  /** `zap_vma_ptes`: `[start, end)` of a VM_PFNMAP area. */
  zapVma(area: Area, start: UserAddress, end: UserAddress): Sleepable<void>;
  /** `unmap_mapping_range`, in object pages; 0 pages means to the end. */
  unmapMappingRange(mapping: AddressSpace, first: number, pages: number, reach: ZapReach): Sleepable<void>;
  /** Visits every area that shows an object, each with its mm's lock held for reading. */
  forEachArea(mapping: AddressSpace, visit: (area: Area) => Sleepable<void>): Sleepable<void>;
  /** `mmu_notifier_register`: takes the mmap lock itself and waits for a grace period (MN-16). */
  registerNotifier(mm: Mm, notifier: MmuNotifier): Sleepable<number>;
  /** `mmu_notifier_unregister`: afterwards no callback runs or will run. Not from a callback. */
  unregisterNotifier(mm: Mm, notifier: MmuNotifier): Sleepable<void>;
  /** `mmu_interval_notifier_insert`: follows `[start, end)` by sequence number; -EFAULT for a dead mm. */
  insertInterval(
    mm: Mm,
    start: UserAddress,
    end: UserAddress,
    notifier: IntervalNotifier,
  ): Sleepable<IntervalSubscription | number>;
}

/** Memory of processes, reached from the kernel. */
export interface UserAccess {
  /** The address space of the current thread; undefined in a kernel thread or an interrupt. */
  currentMm(): Mm | undefined;
  /** `copy_to_user`: bytes not copied, 0 when all were. */
  copyTo(address: UserAddress, from: Uint8Array): Sleepable<number>;
  /** `copy_from_user`: bytes not copied; the rest of `to` is zeroed. */
  copyFrom(address: UserAddress, to: Uint8Array): Sleepable<number>;
  /** `get_user_pages`, `pin_user_pages`; see mm/pin.ts. Without the mmap lock. */
  getPages(
    mm: Mm,
    start: UserAddress,
    count: number,
    request: PageRequest,
  ): Sleepable<readonly Page[] | number>;
  /** `unpin_user_page`, `put_page` for a plain reference, or `ClearPageReserved`. */
  releasePage(mm: Mm, page: Page, hold: PageRequest["hold"], contents: "clean" | "dirty"): Atomic<void>;
  /**
   * Charges pages that are held for a device to a process (`mm->pinned_vm`, as in `ib_umem_get`): 0, or -ENOMEM and nothing
   * charged when they are more than it may lock (RC-08).
   */
  chargePins(mm: Mm, pages: number): Atomic<number>;
  /** Takes a charge back; the process may be gone. */
  unchargePins(mm: Mm, pages: number): Atomic<void>;
  /** Whether a process, or another user, still has the address space (`mm_users` is not 0). It may die at the next step. */
  isAlive(mm: Mm): boolean;
  /** `mmget_not_zero`: whether the mm is alive; if so it has one user more. */
  tryUse(mm: Mm): boolean;
  /** `mmput`. */
  drop(mm: Mm): Sleepable<void>;
  /**
   * `mmput_async`: for a thread that must not take the address space down itself, because closing its files would wait
   * for that very thread.
   */
  dropLater(mm: Mm): void;
}

/**
 * Address spaces that nobody runs in: the "ghost thread" of the 1998 question. What one maps is held, and counted, like any
 * mapping; no load or store ever goes through it, so that sharing a page with a ghost takes nothing from its owner.
 */
export interface Ghosts {
  /** A new, empty one with one use, to be given back with `user.drop`; undefined when memory has run out. */
  create(name: string): Mm | undefined;
  /**
   * Maps pages, held by the caller, side by side in a ghost: one reference and one mapping more for each but the page of
   * zeros.
   *
   * @returns the address, or -ENOMEM with nothing mapped
   */
  share(ghost: Mm, pages: readonly Page[]): Sleepable<UserAddress | number>;
  /** Unmaps pages that `share` mapped at `address`. */
  unshare(ghost: Mm, address: UserAddress, pages: number): Sleepable<void>;
}

/** Locks and other meeting points, each with the name that reports show. */
export interface Synchronisation {
  spinLock(name: string): SpinLock;
  mutex(name: string): Mutex;
  rwSemaphore(name: string): RwSemaphore;
  waitQueue(name: string): WaitQueue;
  shared<T>(name: string, initial: T): Shared<T>;
  /** A field that a lock or a wake-up protects; a data race on it is reported where all sanitizers are on. */
  plain<T>(name: string, initial: T): Plain<T>;
  readonly rcu: Rcu;
}

/** Virtual time and threads of the kernel and of devices. */
export interface Time {
  now(): VirtualNs;
  /** `usleep_range`, in virtual nanoseconds. */
  sleep(duration: VirtualNs): Sleepable<void>;
  /**
   * A kernel thread (`kthread_run`); a daemon may still wait for work when a run ends. -ENOMEM, and `body` is never
   * called, when there is no memory for it.
   */
  spawnKernelThread(name: string, body: () => Sleepable<void>, daemon: "daemon" | "required"): Task | number;
  /** A device's own engine: it runs on no CPU. */
  spawnHardware(name: string, body: () => Sleepable<void>): Task;
  /** The name of the task that runs (`current->comm`); `boot` outside of any. */
  currentTask(): string;
  /** Whether the current thread has to end (`fatal_signal_pending`). */
  isDying(): boolean;
}

/**
 * Registers of devices, by window and byte offset, as a driver reaches them once it has called `ioremap`. Each access
 * is a step of its own and stands in the event log. All throw RangeError outside the window: there the kernel would
 * oops.
 */
export interface Mmio {
  /** `readb`, `readw`, `readl`: unsigned. */
  read(window: IoRange, offset: number, width: IoWidth): Atomic<number>;
  /** `writeb`, `writew`, `writel`. */
  write(window: IoRange, offset: number, width: IoWidth, value: number): Atomic<void>;
  /** `writeq`; where the device knows no such access it is two, the lower half first (`lo_hi_writeq`). */
  write64(window: IoRange, offset: number, value: bigint): Atomic<void>;
  /** `memcpy_fromio`: fills `to`, 4 bytes at a time where alignment allows. All of it is one step. */
  readBlock(window: IoRange, offset: number, to: Uint8Array): Atomic<void>;
  /** The step before a device's own engine changes what its registers show, in whichever window. */
  touch(window: IoRange): Atomic<void>;
}
