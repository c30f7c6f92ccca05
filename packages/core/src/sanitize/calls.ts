import type { MaySleep, Point, Sleep } from "../contract/execution.ts";
import { isGenerator } from "../sched/is-generator.ts";
import type { Scheduler } from "../sched/scheduler.ts";

/** Runs kernel code as a call of the current task, so that reports can name it among the callers. */
export function* inCall<T, Y extends Point | Sleep>(
  sched: Scheduler,
  name: string,
  steps: Generator<Y, T, void>,
): Generator<Y, T, void> {
  const task = sched.current;
  if (task === undefined) return yield* steps;
  const outer = task.calls;
  task.calls = { name, outer };
  try {
    return yield* steps;
  } finally {
    task.calls = outer;
  }
}

/** The same for a function that answers at once or with kernel code still to be run. */
export function duringCall<T>(sched: Scheduler, name: string, call: () => MaySleep<T>): MaySleep<T> {
  const task = sched.current;
  if (task === undefined) return call();
  const outer = task.calls;
  task.calls = { name, outer };
  let answer: MaySleep<T>;
  try {
    answer = call();
  } finally {
    task.calls = outer;
  }
  return isGenerator(answer) ? inCall(sched, name, answer) : answer;
}
