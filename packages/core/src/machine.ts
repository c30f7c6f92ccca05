import type { Atomic, Sleepable } from "./contract/execution.ts";
import type { OpenFile } from "./contract/file.ts";
import type { Page, Pfn } from "./contract/units.ts";
import { DeviceRegistry } from "./device/device-registry.ts";
import { InterruptController } from "./device/interrupt-controller.ts";
import { PciBus } from "./device/pci-bus.ts";
import { SharedMemory } from "./device/shared-memory.ts";
import { EventLog } from "./events/event-log.ts";
import { type MachineOptions, type MachineSettings, settle } from "./machine-options.ts";
import { type AllocationGate, openGate } from "./memory/allocation-gate.ts";
import { owners } from "./memory/owners.ts";
import { PG_reserved } from "./memory/page-flags.ts";
import { PhysicalMemory } from "./memory/physical-memory.ts";
import { AddressSpace } from "./mm/address-space.ts";
import { exitMmap } from "./mm/exit.ts";
import { type CountingGate, createGate } from "./mm/gate.ts";
import { Mm } from "./mm/mm.ts";
import { countsPoint, noteAllocations } from "./mm/page-points.ts";
import { ReservedPages } from "./mm/reserved-pages.ts";
import { type Geometry, geometries, pagesPerEntry, physicalPages } from "./mmu/geometry.ts";
import { PageTable } from "./mmu/page-table.ts";
import { type MayAllocateTable, TablePool } from "./mmu/table-pool.ts";
import { MOST_SPACES, spaceTag, Tlb } from "./mmu/tlb.ts";
import { AliasingTlb, VirtualCache } from "./mmu/virtual-cache.ts";
import { FrameHistory } from "./sanitize/frame-history.ts";
import { type Known, makeViolation } from "./sanitize/make-violation.ts";
import type { Moment } from "./sanitize/operation.ts";
import {
  type Violation,
  type ViolationKind,
  type ViolationSink,
  violationKinds,
} from "./sanitize/violation.ts";
import { WatchedEntries } from "./sanitize/watched-entries.ts";
import { Access, Allocator, ObjectKind } from "./sched/points.ts";
import { Rcu } from "./sched/rcu.ts";
import { Scheduler } from "./sched/scheduler.ts";
import { WaitQueue } from "./sched/wait-queue.ts";
import { Stats } from "./stats.ts";
import { Process, type Program, type ThreadOptions } from "./user/process.ts";

/** One simulated computer with its kernel: everything that a run changes hangs on it, and nothing is global. */
export class Machine {
  readonly settings: MachineSettings;
  readonly geometry: Geometry;
  readonly violations: ViolationSink & { readonly list: readonly Violation[] };
  readonly sched: Scheduler;
  readonly log: EventLog;
  /** Who handed out and freed each frame; undefined unless all sanitizers are on, and reports are full. */
  readonly history: FrameHistory | undefined;
  /** What entries and translations were made for; undefined unless all sanitizers are on. */
  readonly entries: WatchedEntries | undefined;
  /** Whether anybody wants to know of each entry: the event log or the sanitizers. */
  readonly isWatched: boolean;
  /** Whether reports name the calls that something happened in. */
  readonly isTraced: boolean;
  readonly stats = new Stats();
  readonly tables: TablePool;
  /** The kernel's own page table (`init_mm`): where vmalloc maps. */
  readonly kernelTable: PageTable;
  readonly memory: PhysicalMemory;
  readonly reserved: ReservedPages;
  /** One TLB a CPU. */
  readonly tlbs: readonly Tlb[];
  /** The data cache where it is indexed virtually; undefined where the model has no need of one. */
  readonly dataCache: VirtualCache | undefined;
  readonly rcu: Rcu;
  /** Where threads stand back whose fault came to nothing; see `standBack`. */
  readonly retryTimer: WaitQueue;
  readonly devices: DeviceRegistry;
  readonly interrupts: InterruptController;
  readonly pci: PciBus;
  readonly sharedMemory: SharedMemory;
  /** The page of zeros that every untouched private page shows (`ZERO_PAGE`); counted nowhere. */
  readonly zeroPage: Page;
  /** Where mmap looks for room, downwards, once the low zone is full (`mmap_base`). */
  readonly mmapTop: number;
  /**
   * The top of the zone where mmap looks first: addresses below 2 GiB, as with MAP_32BIT. They are small integers to the
   * JavaScript engine, which makes a fault several times cheaper than with addresses that are doubles.
   */
  readonly mmapLowTop: number;
  /** Frame numbers are below this. */
  readonly pfnLimit: number;
  /** Address spaces that are not taken down yet, for reports and leak checks. */
  readonly mms = new Set<Mm>();

  nextMmId = 1;
  nextAreaId = 1;
  nextPid = 1;
  #nextCpu = 0;

  /**
   * @param scrapped a machine that nobody uses any more, nor ever will: this one takes over its RAM, its tables and its
   * TLBs, cleared, as far as they are of the same size. It behaves as one that is all new, and is built much faster.
   */
  constructor(options: MachineOptions = {}, scrapped?: Machine) {
    const settings = settle(options);
    this.settings = settings;
    this.geometry = geometries[settings.geometry];
    const list: Violation[] = [];
    const isThorough = settings.sanitizers === "all";
    const tellsAll = isThorough && settings.reports === "full";
    const remembered = tellsAll ? new Map<string, Moment>() : undefined;
    this.violations = {
      list,
      report: (kind, message, about) => this.#note(list, kind, message, { remembered, ...about }),
      remember: remembered && ((object, what) => remembered.set(object, this.sched.moment(what))),
    };
    this.sched = new Scheduler({
      cpus: settings.cpus,
      chooser: settings.chooser,
      stepLimit: settings.stepLimit,
      violations: this.violations,
      sanitizers: settings.sanitizers,
      reports: settings.reports,
      countEvents: () => this.log.length,
      scrapped: scrapped?.sched,
    });
    this.log = new EventLog(
      settings.eventLog,
      () => this.sched.now,
      () => this.sched.current?.id ?? -1,
    );
    this.tables = new TablePool(this.geometry, scrapped?.tables);
    this.kernelTable = new PageTable(this.geometry, this.tables);
    this.memory = new PhysicalMemory({
      geometry: this.geometry,
      ramPages: settings.ramPages,
      pagelessPages: settings.pagelessPages,
      coherent: settings.coherentMemory,
      kernelTable: this.kernelTable,
      violations: this.violations,
      gate: settings.allocations,
      scrapped: scrapped?.memory,
    });
    if (settings.allocations !== openGate) this.tables.mayAllocate = askingForTables(settings.allocations);
    this.reserved = new ReservedPages(settings.reservedPages, this.memory.frames);
    if (settings.dataCache === "virtually-indexed" || this.geometry.virtuallyIndexedCache) {
      const tlbs = buildTlbs(AliasingTlb, settings, scrapped?.tlbs);
      this.tlbs = tlbs;
      this.dataCache = this.#buildCache(tlbs);
    } else {
      this.tlbs = buildTlbs(Tlb, settings, scrapped?.tlbs);
      this.dataCache = undefined;
    }
    if (settings.chooser.interleaves) noteAllocations(this);
    this.isWatched = isThorough || this.log.enabled;
    this.isTraced = tellsAll || this.log.enabled;
    this.history = tellsAll
      ? new FrameHistory(this.memory.frames, (what) => this.sched.moment(what))
      : undefined;
    this.entries = isThorough ? new WatchedEntries(this, this.history) : undefined;
    this.rcu = new Rcu(this.sched);
    this.retryTimer = new WaitQueue(this.sched, "another try at a fault");
    this.mmapTop = Math.floor(this.geometry.userEnd / 4) * 3;
    this.mmapTop -= this.mmapTop % this.geometry.pageSize;
    this.mmapLowTop = Math.min(this.mmapTop, 2 ** 31 - this.geometry.pageSize);
    this.pfnLimit = Math.min(2 ** 40, physicalPages(this.geometry));
    const zeroPage = this.memory.pages.allocPage(owners.reserved);
    if (zeroPage === undefined) throw new RangeError("the machine has no RAM for its page of zeros");
    this.memory.frames.clear(zeroPage);
    this.memory.frames.setFlags(zeroPage, PG_reserved);
    this.zeroPage = zeroPage;
    this.devices = new DeviceRegistry(this);
    this.interrupts = new InterruptController(this);
    this.pci = new PciBus(this);
    this.sharedMemory = new SharedMemory(this);
  }

  /** The CPU for a task that asks for none: each in turn, so that few tasks each have one to themselves. */
  cpuInTurn(): number {
    const cpu = this.#nextCpu;
    this.#nextCpu = (cpu + 1) % this.sched.cpus;
    return cpu;
  }

  /** A process with one thread that runs `program` from the next turn on. */
  spawn(name: string, program: Program, options: ThreadOptions = {}): Process {
    const process = this.createProcess(name, this.createMm(name));
    process.start(program, options);
    return process;
  }

  /** A process around an address space, without threads yet. */
  createProcess(name: string, mm: Mm): Process {
    return new Process(this, name, mm);
  }

  /** One holder of an area's file more; nothing for anonymous memory. */
  keepFile(file: OpenFile | undefined): void {
    if (file !== undefined) this.devices.keep(file);
  }

  /** One holder of an area's file less; the last one releases it. */
  *dropFile(file: OpenFile | undefined): Sleepable<void> {
    if (file !== undefined) yield* this.devices.drop(file);
  }

  /** The alignment at which a mapping of so many bytes can use large leaves. */
  alignmentFor(length: number): number {
    const { geometry } = this;
    let alignment = geometry.pageSize;
    for (const level of geometry.leafLevels) {
      const bytes = pagesPerEntry(geometry, level) * geometry.pageSize;
      if (bytes <= length) alignment = bytes;
    }
    return alignment;
  }

  /**
   * A new, empty address space with one user.
   *
   * @throws RangeError when there is no memory for it, or when there are as many as can be told apart
   */
  createMm(name: string): Mm {
    const mm = this.tryCreateMm(name);
    if (mm === undefined) throw new RangeError(`no room for the address space of ${name}`);
    return mm;
  }

  /** The same (`mm_alloc`); undefined when there is no room for it. */
  tryCreateMm(name: string): Mm | undefined {
    if (this.mms.size >= MOST_SPACES || !this.mayAllocate("mm_alloc")) return undefined;
    this.sched.note(ObjectKind.allocator, Allocator.addressSpace, Access.write);
    const table = PageTable.tryCreate(this.geometry, this.tables);
    if (table === undefined) return undefined;
    // The TLBs tell address spaces apart by a few bits of the number: no two live ones share those.
    while (this.#hasTag(spaceTag(this.nextMmId))) this.nextMmId++;
    const mm = new Mm(this, this.nextMmId++, name, table);
    this.mms.add(mm);
    return mm;
  }

  /** Whether an address space is there that TLBs could not tell from one of this tag. */
  #hasTag(tag: number): boolean {
    for (const { id } of this.mms) if (spaceTag(id) === tag) return true;
    return false;
  }

  /** Gives one use of an address space back; the last one takes it down (`mmput`). */
  *dropMm(mm: Mm): Sleepable<void> {
    if (this.sched.interleaving) yield this.sched.at(ObjectKind.cell, mm.usersCell, Access.countDown);
    if (--mm.users > 0) return;
    yield* exitMmap(mm);
    this.sched.note(ObjectKind.allocator, Allocator.addressSpace, Access.write);
    this.mms.delete(mm);
  }

  /** Whether memory for an object that the model has for nothing is given; refused only by failure injection. */
  mayAllocate(site: string): boolean {
    return this.settings.allocations.mayAllocate(site);
  }

  /** The same for one more area's own record (`vm_area_alloc`). */
  mayAllocateArea(): boolean {
    return this.mayAllocate("vm_area_alloc");
  }

  /** A new object for the reverse map to hang areas on. */
  createAddressSpace(name: string): AddressSpace {
    return new AddressSpace(this.sched, name);
  }

  createGate(name: string): CountingGate {
    return createGate(this.sched, this.log, name);
  }

  /** Writes one entry, with its place in the event log and in the count of the atomic stretch. */
  writeEntry(mm: Mm, slot: number, vpn: number, entry: number): void {
    if (this.isWatched) this.#noteEntry(mm, slot, vpn, entry);
    this.tables.write(slot, entry);
    this.sched.countAtomic(1);
  }

  /** Gives back a reference as a step of its own (`put_page`). */
  *putPage(page: Page): Atomic<void> {
    if (this.sched.interleaving) yield countsPoint(this, page, Access.countDown);
    if (this.memory.frames.put(page) && this.log.enabled) this.log.record("page-free", page);
  }

  /** Takes a reference as a step of its own (`get_page`). */
  *getPage(page: Page): Atomic<void> {
    if (this.sched.interleaving) yield countsPoint(this, page, Access.countUp);
    this.memory.frames.get(page);
  }

  /** Takes a reference as a step of its own (`get_page_unless_zero`); false when the page is free. */
  *tryGetPage(page: Page): Atomic<boolean> {
    if (this.sched.interleaving) yield countsPoint(this, page, Access.countUp);
    return this.memory.frames.tryGet(page);
  }

  /** Whether a frame number lies in RAM, with struct page or without. */
  isRam(pfn: Pfn): boolean {
    return this.memory.frames.isRam(pfn);
  }

  /** An eighth of RAM, at most 32 pages, is the cache's own memory. */
  #buildCache(tlbs: readonly AliasingTlb[]): VirtualCache {
    const { memory, settings } = this;
    const pages = Math.max(1, Math.min(32, Math.floor(settings.ramPages / 8)));
    const stores = Array.from({ length: pages }, () => memory.pages.allocPage(owners.reserved));
    const cache = new VirtualCache(memory.frames, {
      tlbs,
      stores: stores.filter((page) => page !== undefined).map((page) => page as number as Pfn),
      flushing: settings.cacheFlushes,
    });
    for (const tlb of tlbs) tlb.cache = cache;
    return cache;
  }

  /** Tells the event log and the sanitizers of an entry that is about to be written. */
  #noteEntry(mm: Mm, slot: number, vpn: number, entry: number): void {
    this.log.record("pte-set", mm.id, vpn, entry);
    this.entries?.writes(mm, slot, vpn, entry, this.tables.read(slot));
  }

  #note(list: Violation[], kind: ViolationKind, message: string, about: Known): void {
    const { sched, log, history } = this;
    const describeFrame = (pfn: Pfn) => this.memory.frames.describe(pfn);
    list.push(makeViolation(kind, message, about, { sched, log, history, describeFrame }));
    this.log?.record("violation", violationKinds.indexOf(kind));
  }
}

/** A function of its own, so that it keeps no machine in memory. */
function askingForTables(gate: AllocationGate): MayAllocateTable {
  return () => gate.mayAllocate("page-table");
}

/** A TLB for each CPU. A function of its own, so that no closure of a machine keeps the scrapped one in memory. */
function buildTlbs<T extends Tlb>(
  Kind: new (geometry: Geometry, size: number, scrapped: Tlb | undefined) => T,
  { geometry, cpus, tlbEntries }: MachineSettings,
  scrapped: readonly Tlb[] | undefined,
): T[] {
  const tlbs: T[] = [];
  for (let cpu = 0; cpu < cpus; cpu++) tlbs.push(new Kind(geometries[geometry], tlbEntries, scrapped?.[cpu]));
  return tlbs;
}
