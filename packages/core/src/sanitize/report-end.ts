import type { MayInterleave } from "../contract/execution.ts";
import type { Machine } from "../machine.ts";
import { isGenerator } from "../sched/is-generator.ts";
import type { RunReport } from "../sched/scheduler.ts";
import type { Task } from "../sched/task.ts";

/** Steps after which a look at a condition is given up. */
const MOST_LOOKS = 1000;

/**
 * Reports a run that did not come to its end: a task that goes on for ever, a circle of waiters, or a sleeper whom nobody
 * woke though what it waits for holds.
 */
export function reportEnd(machine: Machine, { status, waiting }: RunReport): void {
  const { violations, sched } = machine;
  if (status === "finished") return;
  const unfinished = sched.tasks.filter((task) => task.state !== "done" && !task.isDaemon);
  if (status === "step-limit") {
    const busy = unfinished.find(({ state }) => state === "ready");
    violations.report("hung-task", waiting.join("; "), {
      object: busy?.name ?? "the run",
      operation: sched.moment("goes on for ever", busy),
    });
    return;
  }
  const forgotten = unfinished.find(wouldGoOn);
  if (forgotten !== undefined) {
    violations.report(
      "lost-wake-up",
      `${waiting.join("; ")}; what ${forgotten.name} waits for holds, but nobody woke it when it came about`,
      { object: forgotten.sleepsOn, operation: sched.moment(`sleeps on ${forgotten.sleepsOn}`, forgotten) },
    );
    return;
  }
  const [first] = unfinished;
  const { blockedOn } = first ?? {};
  const what = blockedOn?.name ?? first?.sleepsOn ?? "";
  violations.report("deadlock", waiting.join("; "), {
    object: what,
    operation: sched.moment(`waits for ${what}`, first),
    earlier: blockedOn === undefined ? undefined : takenBy(machine, blockedOn.holders()[0], blockedOn.name),
  });
}

/** Where the holder of a lock took it. */
function takenBy({ sched }: Machine, holder: Task | undefined, name: string) {
  const lock = holder?.held.find((held) => held.name === name);
  return holder === undefined || lock === undefined ? undefined : sched.lockOrder.takenBy(holder, lock);
}

/** Whether a sleeper would find that what it waits for holds, if it looked. */
function wouldGoOn({ state, sleepsFor }: Task): boolean {
  if (state !== "sleeping" || sleepsFor === undefined) return false;
  try {
    return look(sleepsFor());
  } catch {
    // A condition that can be asked by its own task only says nothing to others.
    return false;
  }
}

function look(answer: MayInterleave<boolean>): boolean {
  if (!isGenerator(answer)) return answer;
  for (let looks = 0; looks < MOST_LOOKS; looks++) {
    const step = answer.next();
    if (step.done === true) return step.value;
  }
  return false;
}
