import { isTrap } from "@nopage/core";
import { type Contender, contendersOf, type LawCase } from "@nopage/testkit";
import { describe, expect, it } from "vitest";
import { replaySaved, savedRun } from "#src/explore/counterexample";
import { exploreLaw } from "#src/explore/explore-law";
import { type Minimised, minimise } from "#src/explore/minimise";
import { replayLaw, ScheduleMisfit, settingOf } from "#src/explore/replay-law";
import { allLaws } from "#src/laws/all-laws";
import { gateOf } from "#src/laws/support/taking-away";
import { plainPages } from "#src/model/plain-pages";
import { must, succeed } from "#src/program/expect";
import { user } from "#src/program/user";
import { busyFlag } from "../../../../examples/busy-flag/busy-flag.ts";

const law = allLaws.find(({ id }) => id === "QU-02");
const lawCase = (law !== undefined && law.level !== "untested" ? law.cases[0] : undefined) as LawCase;
const [contender] = contendersOf(busyFlag) as readonly [Contender];
const setting = settingOf(lawCase, contender, "x86-64");

/** The reader meets a closed gate, while somebody else goes to sleep. */
const withBystander: LawCase = {
  when: "",
  schedule: "racy",
  *program({ subject }) {
    const address = yield* succeed("mmap", subject.map());
    const bystander = yield* user.thread(function* () {
      yield* user.sleep(1);
    }, "bystander");
    let isClosed = false;
    const reader = yield* user.thread(function* () {
      for (let time = 0; time < 2; time++) {
        const wasClosed = isClosed;
        const seen = yield* user.load(address);
        must(isTrap(seen) || !wasClosed || !isClosed, "it is shown while it is taken away");
      }
    }, "reader");
    yield* gateOf(subject).close();
    isClosed = true;
    yield* user.settle();
    isClosed = false;
    yield* gateOf(subject).open();
    for (const actor of [reader, bystander]) yield* user.join(actor);
  },
};

function found(): { readonly schedule: readonly number[]; readonly minimised: Minimised } {
  const [counterexample] = exploreLaw(lawCase, contender, "x86-64", {
    plan: { random: 1000 },
    atFailure: "stop",
  }).counterexamples;
  const schedule = counterexample?.schedule ?? [];
  return { schedule, minimised: minimise(setting, schedule, 5000) };
}

const { schedule, minimised } = found();

describe("a failure that is made as short as can be", () => {
  it("was longer and had more preemptions when it was found at random", () => {
    const before = replayLaw(setting, schedule);
    const preemptions = before.steps.slice(0, before.failedAt + 1).filter(({ preempts }) => preempts).length;
    expect(minimised.preemptions).toBeLessThan(preemptions);
    expect(minimised.isFewest).toBe(true);
  });

  it("leaves out steps that what failed does not depend on", () => {
    const crowded = settingOf(withBystander, contender, "x86-64");
    const [first] = exploreLaw(withBystander, contender, "x86-64", { atFailure: "stop" }).counterexamples;
    const { replay: short } = minimise(crowded, first?.schedule ?? [], 5000);
    const bystander = 1;
    const without = short.steps.slice(0, short.failedAt + 1).filter(({ task }) => task !== bystander);
    const before = replayLaw(crowded, [bystander, bystander, ...without.map(({ task }) => task)]);
    expect(before.steps.slice(0, 2).map(({ name }) => name)).toEqual(["bystander", "bystander"]);
    const { replay } = minimise(
      crowded,
      before.steps.map(({ task }) => task),
      0,
    );
    expect(replay.failedAt).toBe(before.failedAt - 2);
    expect(replay.problems[0]).toBe(before.problems[0]);
  });

  it("has as few preemptions as there are in any failure", () => {
    const plan = { preemptions: minimised.preemptions - 1 };
    const fewer = exploreLaw(lawCase, contender, "x86-64", { plan });
    expect(fewer.counterexamples).toEqual([]);
    expect(fewer.coverage).toContain(`with ${minimised.preemptions - 1}`);
  });

  it("fails again, step by step, and only in that order of the two steps that met", () => {
    const { replay, met } = minimised;
    expect(replayLaw(setting, replay.steps)).toEqual(replay);
    expect(replay.problems[0]).toContain("while the object is taken away");
    expect(met?.map((at) => replay.steps[at]?.words)).toEqual(["read busy", "write busy"]);
  });
});

describe("a failure that was saved", () => {
  const program = { law: "QU-02", index: 0, lawCase, contender };
  const saved = JSON.parse(JSON.stringify(savedRun(program, "x86-64", minimised)));

  it("is the same run when it is replayed", () => {
    expect(replaySaved(saved, busyFlag)).toEqual(minimised.replay);
  });

  it("is the same run in whatever order the machine's options were written", () => {
    const machine = Object.fromEntries(Object.entries(saved.machine).reverse());
    expect(Object.keys(machine).length).toBeGreaterThan(1);
    expect(replaySaved({ ...saved, machine }, busyFlag)).toEqual(minimised.replay);
  });

  it("names the step that differs, what was recorded and what was found", () => {
    const steps = saved.schedule.map((step: object, at: number) =>
      at === 7 ? { ...step, does: "read cell 99" } : step,
    );
    expect(() => replaySaved({ ...saved, schedule: steps }, busyFlag)).toThrow(
      /^step 8: recorded was "thread: read cell 99"; found was "thread: read cell \d+"$/,
    );
  });

  it.each([
    ["the law", { law: "XX-01" }, plainPages, "program 1 of XX-01"],
    ["the program", { when: "at night" }, busyFlag, '"at night"; found was ""'],
    ["the plugin", {}, plainPages, "recorded was busy-flag on pfn-run; found were plain pages"],
    ["the machine", { machine: { cpus: 1 } }, busyFlag, 'recorded was a machine with {"cpus":1}'],
  ])("says so when %s is another", (_what, change, plugin, message) => {
    expect(() => replaySaved({ ...saved, ...change }, plugin)).toThrow(ScheduleMisfit);
    expect(() => replaySaved({ ...saved, ...change }, plugin)).toThrow(message);
  });
});
