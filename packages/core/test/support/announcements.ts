import type { Chooser } from "../../src/sched/chooser.ts";
import type { ObjectKind } from "../../src/sched/points.ts";
import { type Access, accessNames, objectId } from "../../src/sched/points.ts";
import type { Task } from "../../src/sched/task.ts";

/** One object that a step touches, and how. */
export interface Touch {
  readonly object: number;
  readonly access: Access | 0;
}

/** Everything that a task has announced for its next step. */
export function announcedBy(task: Task): readonly Touch[] {
  const first: Touch = { object: task.announcedObject, access: task.announcedAccess };
  return [first, ...task.alsoObjects.map((object, at) => ({ object, access: task.alsoAccesses[at] ?? 0 }))];
}

/** A chooser that writes down what each step announces before it lets another chooser decide. */
export class Announcements implements Chooser {
  readonly name = "announcements";
  readonly interleaves = true;
  readonly steps: { readonly task: string; readonly touches: readonly Touch[] }[] = [];
  readonly #chooser: (enabled: readonly Task[], last: Task | undefined) => Task;

  /** Runs each task as long as it can unless told otherwise. */
  constructor(
    choose: (enabled: readonly Task[], last: Task | undefined) => Task = (enabled, last) =>
      last !== undefined && enabled.includes(last) ? last : (enabled[0] as Task),
  ) {
    this.#chooser = choose;
  }

  choose(enabled: readonly Task[], last: Task | undefined): Task {
    const task = this.#chooser(enabled, last);
    this.steps.push({ task: task.name, touches: announcedBy(task) });
    return task;
  }

  /** How steps from `since` on touched one object, in words and in order. */
  accesses(kind: ObjectKind, index: number, since = 0): readonly string[] {
    const object = objectId(kind, index);
    return this.steps
      .slice(since)
      .flatMap(({ touches }) => touches)
      .filter((touch) => touch.object === object)
      .map(({ access }) => accessNames[access] as string);
  }
}
