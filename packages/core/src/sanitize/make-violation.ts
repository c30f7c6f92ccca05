import type { Pfn } from "../contract/units.ts";
import type { EventLog, LoggedEvent } from "../events/event-log.ts";
import type { Scheduler } from "../sched/scheduler.ts";
import type { FrameHistory } from "./frame-history.ts";
import type { Moment, Operation } from "./operation.ts";
import type { About, Violation, ViolationKind } from "./violation.ts";

/** Events that a report carries around each of its operations. */
const AROUND = 4;

/** What a report is made from: the machine, as far as it is built. */
export interface Witnesses {
  readonly sched: Scheduler | undefined;
  readonly log: EventLog | undefined;
  readonly history: FrameHistory | undefined;
  describeFrame(pfn: Pfn): string;
}

/** What a checker knows, and what was remembered of objects by their names. */
export interface Known extends About {
  readonly remembered?: ReadonlyMap<string, Moment> | undefined;
}

/** Puts what a checker found into the form that all reports have. */
export function makeViolation(kind: ViolationKind, message: string, about: Known, by: Witnesses): Violation {
  const { frame } = about;
  const moment = about.operation ?? by.sched?.moment(message);
  const earlier = about.earlier ?? earlierOf(about, by);
  const operation: Operation = moment?.asOperation() ?? {
    what: message,
    task: "boot",
    cpu: -1,
    time: 0,
    callers: [],
    event: 0,
  };
  const met = earlier?.asOperation();
  return {
    kind,
    message,
    task: operation.task,
    time: operation.time,
    object: about.object ?? (frame === undefined ? undefined : by.describeFrame(frame)),
    operation,
    earlier: met,
    events: by.log === undefined || !by.log.enabled ? [] : [...eventsAround(by.log, operation, met)],
  };
}

/** What was last done with what the report is about. */
function earlierOf({ frame, object, remembered }: Known, { history }: Witnesses): Moment | undefined {
  if (frame !== undefined) return history?.last(frame);
  return object === undefined ? undefined : remembered?.get(object);
}

/** The events next to the two operations, oldest first, each once. */
function* eventsAround(
  log: EventLog,
  operation: Operation,
  earlier: Operation | undefined,
): IterableIterator<LoggedEvent> {
  const from = Math.max(0, operation.event - AROUND);
  if (earlier !== undefined) {
    const start = Math.max(0, earlier.event - AROUND / 2);
    yield* log.events(start, Math.min(from, earlier.event + AROUND / 2));
  }
  yield* log.events(from, operation.event);
}
