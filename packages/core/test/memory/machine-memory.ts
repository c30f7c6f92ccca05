import type { AllocationGate } from "../../src/memory/allocation-gate.ts";
import { PhysicalMemory, type PhysicalMemoryOptions } from "../../src/memory/physical-memory.ts";
import { x86_64 } from "../../src/mmu/geometry.ts";
import { PageTable } from "../../src/mmu/page-table.ts";
import { TablePool } from "../../src/mmu/table-pool.ts";
import type { ViolationKind, ViolationSink } from "../../src/sanitize/violation.ts";

/** Keeps what was reported, in words. */
export class Reports implements ViolationSink {
  readonly kinds: ViolationKind[] = [];
  readonly messages: string[] = [];

  report(kind: ViolationKind, message: string): void {
    this.kinds.push(kind);
    this.messages.push(message);
  }

  /** What was reported since the last call. */
  take(): ViolationKind[] {
    this.messages.length = 0;
    return this.kinds.splice(0);
  }
}

/** Refuses the allocation whose number, counted from 1, is `failAt`. */
export class FailingGate implements AllocationGate {
  failAt = 0;
  asked = 0;
  readonly sites: string[] = [];

  mayAllocate(site: string): boolean {
    this.sites.push(site);
    this.asked++;
    return this.asked !== this.failAt;
  }
}

export interface MemoryUnderTest {
  readonly memory: PhysicalMemory;
  readonly reports: Reports;
  readonly gate: FailingGate;
  readonly tables: TablePool;
}

/** The memory of a small machine: x86-64, 256 frames with struct page unless told otherwise. */
export function machineMemory(options: Partial<PhysicalMemoryOptions> = {}): MemoryUnderTest {
  const geometry = options.geometry ?? x86_64;
  const reports = new Reports();
  const gate = new FailingGate();
  const tables = new TablePool(geometry);
  const kernelTable = new PageTable(geometry, tables);
  const memory = new PhysicalMemory({
    geometry,
    ramPages: 256,
    kernelTable,
    violations: reports,
    gate,
    ...options,
  });
  return { memory, reports, gate, tables };
}

/** The value of something that the test knows to be there. */
export function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the test expected a value");
  return value;
}
