import type { Pfn } from "../contract/units.ts";
import type { LoggedEvent } from "../events/event-log.ts";
import type { Moment, Operation } from "./operation.ts";

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
  "stale-tlb",
  "data-race",
  "lost-wake-up",
  "uninitialised",
] as const;

export type ViolationKind = (typeof violationKinds)[number];

/** One violation: what was broken, on what, by whom and when, and the operation that it met. */
export interface Violation {
  readonly kind: ViolationKind;
  /** A sentence that names the object and what was wrong. */
  readonly message: string;
  /** The task that did it, or `boot` outside of any. */
  readonly task: string;
  /** Virtual nanoseconds. */
  readonly time: number;
  /** What it happened to: a frame, a lock, an area, a plugin's hook. Undefined where the message alone says it. */
  readonly object: string | undefined;
  /** What was being done when it was found. */
  readonly operation: Operation;
  /**
   * What that met: who freed the frame, who took the locks the other way round, who wrote last. Undefined where there is no
   * second one, and where nothing of the kind is remembered (`sanitizers: "cheap"`).
   */
  readonly earlier: Operation | undefined;
  /** What the event log has of it, oldest first: the two operations, and what lies next to them. Empty without a log. */
  readonly events: readonly LoggedEvent[];
}

/** What a checker knows besides the sentence. */
export interface About {
  /** What it happened to. What was last remembered of an object of that name is the earlier operation, unless one is given. */
  readonly object?: string;
  /** The frame it happened to: what was last done with it is the earlier operation, unless one is given. */
  readonly frame?: Pfn;
  readonly earlier?: Moment | undefined;
  /** What broke the rule, where it is not what the current task does right now. */
  readonly operation?: Moment;
}

/** Where checkers report to; one for each machine. */
export interface ViolationSink {
  report(kind: ViolationKind, message: string, about?: About): void;
  /**
   * Remembers what the current task does to an object: a later report about an object of that name tells of it. Undefined
   * where nothing is remembered.
   */
  readonly remember?: ((object: string, what: string) => void) | undefined;
}
