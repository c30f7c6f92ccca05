import { lazyNopage } from "@nopage/lazy-nopage";
import { racyProgramsOf, replayLaw, settingOf } from "@nopage/testkit";
import { selectLaws } from "@nopage/testkit/conform";
import { describe, expect, it } from "vitest";
import { perfettoTrace } from "#src/report/perfetto-trace";

interface TraceEvent {
  readonly ph: string;
  readonly name: string;
  readonly pid: number;
  readonly tid?: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly s?: string;
  readonly args?: Readonly<Record<string, unknown>>;
}

const [program] = racyProgramsOf(selectLaws(["QU-02"]), lazyNopage, "x86-64");
if (program === undefined) throw new Error("QU-02 has a racy program");
const replay = replayLaw(settingOf(program.lawCase, program.contender, "x86-64"), []);
const { traceEvents } = JSON.parse(perfettoTrace(replay)) as { readonly traceEvents: readonly TraceEvent[] };

const ofPhase = (ph: string): readonly TraceEvent[] => traceEvents.filter((event) => event.ph === ph);
const groupNamed = (name: string): number | undefined =>
  ofPhase("M").find((event) => event.name === "process_name" && event.args?.["name"] === name)?.pid;

describe("a trace for Perfetto", () => {
  it("MUST have in each event what its phase asks for", () => {
    for (const { ph, name, pid, tid, ts, dur, s, args } of traceEvents) {
      expect(typeof name).toBe("string");
      expect(pid).toBeGreaterThan(0);
      if (ph === "M") expect(typeof args?.["name"]).toBe("string");
      else expect(ts).toBeGreaterThanOrEqual(0);
      if (ph === "X") expect(dur).toBeGreaterThan(0);
      if (ph === "X" || ph === "i") expect(tid).toBeGreaterThan(0);
      if (ph === "i") expect(["t", "g"]).toContain(s);
      if (ph === "C") expect(Object.values(args ?? {})).toEqual([expect.any(Number)]);
      expect(["M", "X", "i", "C"]).toContain(ph);
    }
  });

  it("MUST name a track of its own for each task and each CPU, before anything lies on one", () => {
    const tracks = ofPhase("M").filter(({ name }) => name === "thread_name");
    const names = (group: string) =>
      tracks.filter(({ pid }) => pid === groupNamed(group)).map(({ args }) => args?.["name"]);
    expect(names("tasks").toSorted()).toEqual([...new Set(replay.steps.map(({ name }) => name))].toSorted());
    expect(names("CPUs")).toEqual(["CPU 0", "CPU 1"]);
    const numbers = tracks.map(({ tid }) => tid);
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(numbers).not.toContain(groupNamed("tasks"));
    expect(numbers).not.toContain(groupNamed("CPUs"));
    const lastName = traceEvents.findLastIndex(({ ph }) => ph === "M");
    expect(traceEvents.findIndex(({ ph }) => ph !== "M")).toBeGreaterThan(lastName);
    for (const { ph, tid } of traceEvents) if (ph === "X" || ph === "i") expect(numbers).toContain(tid);
  });

  it("MUST have a slice for each step, and turns on CPUs that cover all steps without a gap", () => {
    const slices = ofPhase("X");
    const steps = slices.filter(({ pid }) => pid === groupNamed("tasks"));
    expect(steps.map(({ ts }) => ts)).toEqual(replay.steps.map((_, at) => at));
    const turns = slices.filter(({ pid }) => pid === groupNamed("CPUs"));
    let end = 0;
    for (const { ts = -1, dur = 0, name } of turns) {
      expect(ts).toBe(end);
      end = ts + dur;
      expect(replay.steps.slice(ts, end).map((step) => step.name)).toEqual(Array(dur).fill(name));
    }
    expect(end).toBe(replay.steps.length);
  });

  it("MUST count faults, entries and pins, up to what they are at the end", () => {
    const last = replay.steps.at(-1)?.counters;
    for (const name of ["faults", "entries", "pins"] as const) {
      const values = ofPhase("C").filter((event) => event.name === name);
      expect(values.length).toBeGreaterThan(0);
      expect(values.at(-1)?.args).toEqual({ count: last?.[name] });
      const times = values.map(({ ts }) => ts ?? -1);
      expect(times).toEqual(times.toSorted((one, other) => one - other));
    }
    expect(last?.faults).toBeGreaterThan(0);
    expect(Math.max(...replay.steps.map(({ counters }) => counters.entries))).toBeGreaterThan(0);
  });

  it("MUST begin another turn where a task goes on on another CPU", () => {
    const [first] = replay.steps;
    if (first === undefined) throw new Error("the replay has steps");
    const moved = {
      ...replay,
      steps: [
        { ...first, cpu: 0 },
        { ...first, cpu: 1 },
      ],
    };
    const events = (JSON.parse(perfettoTrace(moved)) as { readonly traceEvents: readonly TraceEvent[] })
      .traceEvents;
    const turns = events.filter(({ ph, pid }) => ph === "X" && pid === groupNamed("CPUs"));
    expect(turns.map(({ ts, dur }) => [ts, dur])).toEqual([
      [0, 1],
      [1, 1],
    ]);
    expect(new Set(turns.map(({ tid }) => tid)).size).toBe(2);
  });

  it("MUST name the failure in one line, and tell it in full beside it", () => {
    const broken = { ...replay, problems: ["a page is lost\n  in words"], failedAt: 1 };
    const events = (JSON.parse(perfettoTrace(broken)) as { readonly traceEvents: readonly TraceEvent[] })
      .traceEvents;
    const failure = events.find(({ s }) => s === "g");
    expect(failure).toMatchObject({ name: "a page is lost", ts: 2, args: { problems: broken.problems } });
  });
});
