import type { LawReplay } from "@nopage/testkit";
import { eventInWords } from "./event-words.ts";

/** Every task is a track of this one process. */
const PROCESS = 1;

/**
 * A run as a trace in the JSON format of Chrome's tracer, which ui.perfetto.dev opens: a track for each task, a slice for
 * each step, and what happened in it as instants. Steps have no length of their own: the microseconds count them.
 */
export function perfettoTrace({ steps, problems, failedAt }: LawReplay): string {
  const names = new Map(steps.map(({ task, name }) => [task, name]));
  const tracks = [...names].map(([task, name]) => ({
    ph: "M",
    name: "thread_name",
    pid: PROCESS,
    tid: task,
    args: { name },
  }));
  const slices = steps.map(({ task, words, does, preempts, tells }, at) => ({
    ph: "X",
    name: words === "" ? does : words,
    pid: PROCESS,
    tid: task,
    ts: at,
    dur: 1,
    args: { announced: does, preempts, tells },
  }));
  const instants = steps.flatMap(({ task, events }, at) =>
    events.flatMap((event) => {
      const name = eventInWords(event);
      return name === undefined
        ? []
        : [{ ph: "i", s: "t", name, pid: PROCESS, tid: task, ts: at, args: event.fields }];
    }),
  );
  const failed = steps[failedAt];
  const failures =
    failed === undefined || problems.length === 0
      ? []
      : [{ ph: "i", s: "g", name: problems[0], pid: PROCESS, tid: failed.task, ts: failedAt + 1 }];
  return `${JSON.stringify({ traceEvents: [...tracks, ...slices, ...instants, ...failures] })}\n`;
}
