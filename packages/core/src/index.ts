/** The machine: what builds and runs one, and what programs on it call. Plugins need `@nopage/core/contract` only. */
export * from "./contract/index.ts";
export type { OpenRequest } from "./device/device-registry.ts";
export { type DmaDirection, DmaPort } from "./device/dma-port.ts";
export type { InterruptHandler, InterruptLine, InterruptMode } from "./device/interrupt-controller.ts";
export type { KernelModule } from "./device/kernel-module.ts";
export type { BackingShape } from "./device/mapping-binding.ts";
export { MappingBinding } from "./device/mapping-binding.ts";
export type { PciBarShape, PciDriver, PciFunction, PciFunctionShape } from "./device/pci-bus.ts";
export { PinningBinding } from "./device/pinning-binding.ts";
export { EventLog, type LoggedEvent } from "./events/event-log.ts";
export { type EventName, eventFields } from "./events/events.ts";
export { createKernel } from "./kernel.ts";
export { Machine } from "./machine.ts";
export type { MachineOptions, MachineSettings } from "./machine-options.ts";
export type { AllocationGate } from "./memory/allocation-gate.ts";
export type { IoDevice, IoRange, IoWidth } from "./memory/io-ranges.ts";
export { KernelFault } from "./memory/kernel-fault.ts";
export { owners } from "./memory/owners.ts";
export { PG_anon, PG_hwpoison, PG_reserved } from "./memory/page-flags.ts";
export { dumpedAreas } from "./mm/core-dump.ts";
export type { Advice } from "./mm/madvise.ts";
export { migratePage } from "./mm/migrate.ts";
export type { Mm } from "./mm/mm.ts";
export type { MremapRequest } from "./mm/mremap.ts";
export type { MsyncRequest } from "./mm/msync.ts";
export { oomReap } from "./mm/oom-reap.ts";
export { pageWasAccessed } from "./mm/page-age.ts";
export type { MemoryStatus, SmapsArea } from "./mm/smaps.ts";
export { type Geometry, type GeometryName, geometries } from "./mmu/geometry.ts";
export { PTE_READ, PTE_SPECIAL, PTE_UNCACHED, PTE_WRITE, PTE_WRITE_COMBINING, ptePfn } from "./mmu/pte.ts";
export { visitEntries } from "./mmu/table-walk.ts";
export { checkMachine } from "./sanitize/check-machine.ts";
export {
  FailingAllocations,
  failAt,
  failFrom,
  failNone,
  failNth,
  type Injection,
} from "./sanitize/failing-allocations.ts";
export { formatViolation } from "./sanitize/format-violation.ts";
export type { Operation } from "./sanitize/operation.ts";
export { reportEnd } from "./sanitize/report-end.ts";
export { type Violation, type ViolationKind, violationKinds } from "./sanitize/violation.ts";
export type { Chooser } from "./sched/chooser.ts";
export { isGenerator } from "./sched/is-generator.ts";
export type { Mutex } from "./sched/mutex.ts";
export type { Plain } from "./sched/plain.ts";
export {
  Access as PointAccess,
  conflicts as stepsConflict,
  describeObject,
  ObjectKind,
} from "./sched/points.ts";
export { randomChooser } from "./sched/random-chooser.ts";
export { describeChoice, type RecordedChoice, recordChoice } from "./sched/recorded-choice.ts";
export { type RecordingChooser, recordingChooser } from "./sched/recording-chooser.ts";
export { type ReplayChooser, ReplayMismatch, replayChooser } from "./sched/replay-chooser.ts";
export { runToBlock } from "./sched/run-to-block-chooser.ts";
export type { RunReport } from "./sched/scheduler.ts";
export type { Shared } from "./sched/shared.ts";
export type { SpinLock } from "./sched/spin-lock.ts";
export type { Task } from "./sched/task.ts";
export type { WaitQueue } from "./sched/wait-queue.ts";
export type { Width } from "./user/mmio-window.ts";
export type { ProcFiles } from "./user/proc-files.ts";
export type { ExitStatus, Process, Program, ThreadOptions } from "./user/process.ts";
export { MISS } from "./user/tlb-hit.ts";
export type { MapRequest, UserThread } from "./user/user-thread.ts";
