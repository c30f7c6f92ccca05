import type { LawReplay, ReplayedStep } from "@nopage/testkit";
import { firstLine } from "./first-line.ts";
import { happeningsInWords } from "./state-words.ts";

/**
 * Two groups of tracks: one for each task, one for each CPU. Perfetto tells tracks apart by their number alone, gives 0 to its
 * idle task, and takes a track with the number of its group for the group's own; so none of these numbers meet.
 */
const TASKS = 1000;
const CPUS = 2000;

/** One event of the format; the microseconds of `ts` and `dur` count steps. */
interface TraceEvent {
  /** Metadata, a slice, an instant, or a counter. */
  readonly ph: "M" | "X" | "i" | "C";
  readonly name: string;
  readonly pid: number;
  readonly tid?: number;
  readonly ts?: number;
  readonly dur?: number;
  /** An instant's reach: its own track, or all of them. */
  readonly s?: "t" | "g";
  readonly cat?: string;
  readonly args?: object;
}

/**
 * A run as a trace in the JSON format of Chrome's tracer ("Trace Event Format"), which ui.perfetto.dev opens: a track for each
 * task, with a slice for each step and what happened in it as instants; a track for each CPU, with a slice for as long as a task
 * has it; and counters of faults, entries and pins. Steps have no length of their own: the microseconds count them.
 */
export function perfettoTrace(replay: LawReplay): string {
  const { steps } = replay;
  const traceEvents = [
    ...namesOf(steps),
    ...steps.flatMap(slicesOf),
    ...turnsOf(steps),
    ...steps.flatMap(countersOf),
    ...failureOf(replay),
  ];
  return `${JSON.stringify({ traceEvents, displayTimeUnit: "ns" })}\n`;
}

/** The names of groups and tracks, which come before all that lies on them. */
function namesOf(steps: readonly ReplayedStep[]): readonly TraceEvent[] {
  const tasks = new Map(steps.map(({ task, name }) => [task, name]));
  const cpus = [...new Set(steps.map(({ cpu }) => cpu))].sort((one, other) => one - other);
  const group = (pid: number, name: string): TraceEvent => ({
    ph: "M",
    name: "process_name",
    pid,
    args: { name },
  });
  const track = (pid: number, tid: number, name: string): TraceEvent => ({
    ph: "M",
    name: "thread_name",
    pid,
    tid,
    args: { name },
  });
  return [
    group(TASKS, "tasks"),
    ...[...tasks].map(([task, name]) => track(TASKS, trackOfTask(task), name)),
    group(CPUS, "CPUs"),
    ...cpus.map((cpu) => track(CPUS, trackOfCpu(cpu), cpu < 0 ? "hardware" : `CPU ${cpu}`)),
  ];
}

/** A step on the track of its task. */
function slicesOf(step: ReplayedStep, at: number): readonly TraceEvent[] {
  const { task, words, does, preempts, callers, tells, events } = step;
  const on = { pid: TASKS, tid: trackOfTask(task), ts: at };
  const { happened, changed } = happeningsInWords(step);
  const fields = events.map(({ name, fields }) => ({ name, ...fields }));
  const args = {
    announced: does,
    callers: callers.join(" → "),
    preempts,
    tells,
    changes: changed,
    events: fields,
  };
  return [
    { ph: "X", name: words === "" ? does : words, cat: "step", ...on, dur: 1, args },
    ...happened.map((name): TraceEvent => ({ ph: "i", s: "t", name, cat: "event", ...on })),
  ];
}

/** Who has each CPU, from the first to the last of steps that follow one another on it. */
function turnsOf(steps: readonly ReplayedStep[]): readonly TraceEvent[] {
  const starts = steps.flatMap(({ task, cpu }, at) => {
    const before = steps[at - 1];
    return before?.task === task && before.cpu === cpu ? [] : [at];
  });
  return starts.flatMap((ts, index) => {
    const step = steps[ts];
    if (step === undefined) return [];
    const dur = (starts[index + 1] ?? steps.length) - ts;
    return [{ ph: "X", name: step.name, cat: "turn", pid: CPUS, tid: trackOfCpu(step.cpu), ts, dur }];
  });
}

/** Counters where they have changed, at the end of the step that did it. */
function countersOf(
  { counters }: ReplayedStep,
  at: number,
  steps: readonly ReplayedStep[],
): readonly TraceEvent[] {
  const before = steps[at - 1]?.counters;
  return (Object.keys(counters) as (keyof typeof counters)[])
    .filter((name) => before?.[name] !== counters[name])
    .map((name) => ({ ph: "C", name, pid: TASKS, ts: at + 1, args: { count: counters[name] } }));
}

/** Where the failure was known, over all tracks. */
function failureOf({ steps, problems, failedAt }: LawReplay): readonly TraceEvent[] {
  const [task, [problem]] = [steps[Math.max(0, failedAt)]?.task, problems];
  if (task === undefined || problem === undefined) return [];
  const on = { pid: TASKS, tid: trackOfTask(task), ts: failedAt + 1 };
  return [{ ph: "i", s: "g", name: firstLine(problem), cat: "failure", ...on, args: { problems } }];
}

function trackOfTask(task: number): number {
  return TASKS + 1 + task;
}

/** Hardware, which runs on no CPU, comes first. */
function trackOfCpu(cpu: number): number {
  return CPUS + 2 + cpu;
}
