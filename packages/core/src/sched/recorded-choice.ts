import { accessNames, describeObject } from "./points.ts";
import type { Task } from "./task.ts";

/** One recorded step: which task ran, and all that it had announced. */
export interface RecordedChoice {
  /** The task's number, in the order in which tasks were made. */
  readonly task: number;
  /** What it was about to touch, by the identity of `objectId`, and how. */
  readonly object: number;
  readonly access: number;
  /** The second object that the same step touches; -1 when it touches one. */
  readonly alsoObject: number;
  /** How it touches that; 0 when there is none. */
  readonly alsoAccess: number;
}

/** What a task that is about to run has announced. */
export function recordChoice(task: Task): RecordedChoice {
  const { alsoObject } = task;
  return {
    task: task.id,
    object: task.announcedObject,
    access: task.announcedAccess,
    alsoObject,
    // What is left there from an earlier step says nothing.
    alsoAccess: alsoObject === -1 ? 0 : task.alsoAccess,
  };
}

/** What a choice announces, in words: `write cell 3 and read TLB 0`. */
export function describeChoice({ object, access, alsoObject, alsoAccess }: RecordedChoice): string {
  const first = `${accessNames[access] ?? "touch"} ${describeObject(object)}`;
  if (alsoObject === -1) return first;
  return `${first} and ${accessNames[alsoAccess] ?? "touch"} ${describeObject(alsoObject)}`;
}
