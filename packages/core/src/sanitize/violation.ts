/**
 * What the run-time checkers may find, in the order of their numbers in the event log. A violation is a fact about the
 * run, never a result that a program sees: the run goes on where it can, and the report carries every one.
 */
export const violationKinds = [
  "use-after-free",
  "double-free",
  "refcount-underflow",
  "refcount-overflow",
  "page-kind",
  "leak",
  "lock-order",
  "lock-held",
  "sleep-in-atomic",
  "remap-over-present",
  "area-rule",
  "device-rule",
  "dma-into-shared",
  "contract",
  "deadlock",
  "hung-task",
] as const;

export type ViolationKind = (typeof violationKinds)[number];

/** One violation: what was broken, on what, by whom and when. */
export interface Violation {
  readonly kind: ViolationKind;
  /** A sentence that names the object and what was wrong. */
  readonly message: string;
  /** The task that did it, or `boot` outside of any. */
  readonly task: string;
  /** Virtual nanoseconds. */
  readonly time: number;
}

/** Where checkers report to; one for each machine. */
export interface ViolationSink {
  report(kind: ViolationKind, message: string): void;
}
