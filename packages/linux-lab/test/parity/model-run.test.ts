import { lazyNopage } from "@nopage/lazy-nopage";
import { selectLaws } from "@nopage/testkit/conform";
import { contendersOf, type LawCase, mustSucceed, user } from "@nopage/testkit/executor";
import { afterEach, expect, test, vi } from "vitest";
import { allowedOnModel, runOnModel } from "../../src/parity/model-run.ts";

afterEach(() => vi.restoreAllMocks());

/** A thread stores what another one loads. */
const storedWhileLoaded: LawCase = {
  when: "",
  schedule: "racy",
  *program({ subject }) {
    const address = mustSucceed("mmap", yield* subject.map());
    const thread = yield* user.thread(function* () {
      yield* user.store(address, 7);
    });
    yield* user.load(address);
    yield* user.join(thread);
  },
};

const [on] = contendersOf(lazyNopage);

function allowed(maxExecutions?: number) {
  if (on === undefined) throw new Error("there is no such strategy");
  return allowedOnModel(storedWhileLoaded, on, maxExecutions);
}

test("a search for what a race may come to MUST end by its executions, and never by the clock", () => {
  const { complete, outcomes } = allowed();
  expect({ complete, outcomes: outcomes.size }).toEqual({ complete: true, outcomes: 2 });
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => {
    now += 1_000_000;
    return now;
  });
  expect(allowed()).toMatchObject({ complete: true });
  expect(allowed(1)).toMatchObject({ complete: false });
  expect(allowed(1).outcomes.size).toBe(1);
});

test("what a race may come to MUST be what whole runs came to, and not what was given up half-way", () => {
  const [law] = selectLaws(["PF-10"]);
  const programs = law !== undefined && "cases" in law ? law.cases : [];
  const waiting = programs.find(({ when }) => when === "threads that waited for the same gate");
  if (waiting === undefined || on === undefined) throw new Error("there is no such program");
  const { complete, outcomes } = allowedOnModel(waiting, on);
  expect(complete).toBe(true);
  const whole = runOnModel(waiting, on)?.steps.length;
  expect([...outcomes.values()].map((steps) => steps.length)).toEqual([whole]);
});
