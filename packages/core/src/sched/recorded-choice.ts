import { accessNames, describeObject } from "./points.ts";
import type { Task } from "./task.ts";

/** One recorded step: which task ran, and all that it had announced. */
export interface RecordedChoice {
  /** The task's number, in the order in which tasks were made. */
  readonly task: number;
  /** What it was about to touch, by the identity of `objectId`, and how. */
  readonly object: number;
  readonly access: number;
  /** What else the same step touches: object and access in turn. */
  readonly also: readonly number[];
}

const nothingElse: readonly number[] = [];

/** What a task that is about to run has announced. */
export function recordChoice(task: Task): RecordedChoice {
  const { id, announcedObject, announcedAccess, alsoObjects, alsoAccesses } = task;
  const also =
    alsoObjects.length === 0
      ? nothingElse
      : alsoObjects.flatMap((object, index) => [object, alsoAccesses[index] ?? 0]);
  return { task: id, object: announcedObject, access: announcedAccess, also };
}

/** Whether two choices are of the same task, which announced the same. */
export function isSameChoice(one: RecordedChoice, other: RecordedChoice): boolean {
  return (
    one.task === other.task &&
    one.object === other.object &&
    one.access === other.access &&
    one.also.length === other.also.length &&
    one.also.every((number, index) => number === other.also[index])
  );
}

/** What a choice announces, in words: `write cell 3 and read TLB 0`. */
export function describeChoice({ object, access, also }: RecordedChoice): string {
  const pairs = [object, access, ...also];
  const touches: string[] = [];
  for (let at = 0; at < pairs.length; at += 2) {
    touches.push(`${accessNames[pairs[at + 1] ?? 0] ?? "touch"} ${describeObject(pairs[at] ?? 0)}`);
  }
  return touches.join(" and ");
}
