import { type AllocationGate, openGate } from "./memory/allocation-gate.ts";
import type { ReservedPageRules } from "./mm/reserved-pages.ts";
import type { GeometryName } from "./mmu/geometry.ts";
import { geometries } from "./mmu/geometry.ts";
import type { Chooser } from "./sched/chooser.ts";
import { runToBlock } from "./sched/run-to-block-chooser.ts";

/** What a machine is built from; whatever is left out has the default of `settle`. */
export interface MachineOptions {
  readonly geometry?: GeometryName;
  /** 1 to 31. */
  readonly cpus?: number;
  /** The CPU that interrupts of devices go to (`/proc/irq/N/smp_affinity`). */
  readonly interruptCpu?: number;
  /** RAM with struct page, in pages. */
  readonly ramPages?: number;
  /** RAM without struct page, in pages: the machines of the 2004 mail. */
  readonly pagelessPages?: number;
  /** Where `dmaAllocCoherent` takes its memory from. */
  readonly coherentMemory?: "with-page" | "without-page";
  /** Which kernel's rules for reserved pages apply. */
  readonly reservedPages?: ReservedPageRules;
  readonly chooser?: Chooser;
  /** Scheduling steps after which a run counts as hung. */
  readonly stepLimit?: number;
  readonly eventLog?: "on" | "off";
  /**
   * Which of the run-time checkers are at work. `cheap`: those that cost nothing, such as counts that would go below zero.
   * `all`: also those that remember what was done before, for data races, reused frames, uninitialised memory and for the
   * other half of every report. Tests want all of them, measurements do not.
   */
  readonly sanitizers?: "cheap" | "all";
  /**
   * How much a report of the sanitizers tells. `brief`: what was broken, but not the calls that it happened in, nor what it
   * met: as many violations are found, and nothing is remembered for their sake. Who searches many runs for one that breaks
   * something runs that one again in full.
   */
  readonly reports?: "full" | "brief";
  /** Whether every access by user code is checked for freed memory, at the price of the fast path. */
  readonly checkAccesses?: "on" | "off";
  /**
   * How data caches find a page: by its frame, or by its virtual address, so that two mappings of one frame may disagree
   * until the kernel flushes.
   */
  readonly dataCache?: "physically-indexed" | "virtually-indexed";
  /** For tests that show what the kernel's cache flushes are for: leaves them out. */
  readonly cacheFlushes?: "on" | "left-out";
  /** Entries of each TLB, a power of two. */
  readonly tlbEntries?: number;
  /** Areas that one mm may have (`vm.max_map_count`). */
  readonly maxAreas?: number;
  /** Pages that one mm may lock (`RLIMIT_MEMLOCK`). */
  readonly lockLimitPages?: number;
  /** Asked before every allocation of the kernel: failure injection. */
  readonly allocations?: AllocationGate;
}

export type MachineSettings = Required<MachineOptions>;

/**
 * Fills in the defaults and checks the whole.
 *
 * @throws RangeError that names the option, the value and what was expected
 */
export function settle(options: MachineOptions): MachineSettings {
  const settings: MachineSettings = {
    geometry: "x86-64",
    cpus: 2,
    ramPages: 1024,
    pagelessPages: 0,
    coherentMemory: "with-page",
    reservedPages: "6.1",
    chooser: runToBlock,
    stepLimit: 1_000_000,
    eventLog: "off",
    sanitizers: "cheap",
    reports: "full",
    checkAccesses: "on",
    interruptCpu: 0,
    dataCache: "physically-indexed",
    cacheFlushes: "on",
    tlbEntries: 256,
    maxAreas: 65_530,
    lockLimitPages: 2048,
    allocations: openGate,
    ...options,
  };
  if (!(settings.geometry in geometries)) {
    const known = Object.keys(geometries).join(", ");
    throw new RangeError(
      `geometry ${JSON.stringify(settings.geometry)} is unknown; the geometries are ${known}`,
    );
  }
  within("cpus", settings.cpus, 1, 31);
  within("interruptCpu", settings.interruptCpu, 0, settings.cpus - 1);
  within("ramPages", settings.ramPages, 8, 2 ** 31);
  within("pagelessPages", settings.pagelessPages, 0, 2 ** 31);
  within("stepLimit", settings.stepLimit, 1, Number.MAX_SAFE_INTEGER);
  within("maxAreas", settings.maxAreas, 1, Number.MAX_SAFE_INTEGER);
  within("lockLimitPages", settings.lockLimitPages, 0, Number.MAX_SAFE_INTEGER);
  within("tlbEntries", settings.tlbEntries, 1, 65_536);
  if (!Number.isInteger(Math.log2(settings.tlbEntries))) {
    throw new RangeError(`tlbEntries is ${settings.tlbEntries}; it must be a power of two`);
  }
  return settings;
}

function within(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${name} is ${value}; it must be a whole number from ${least} to ${most}`);
  }
}
