import { isTrap } from "@nopage/core";
import { type Contender, contendersOf, type LawCase } from "@nopage/testkit";
import { describe, expect, it } from "vitest";
import { savedRun } from "#src/explore/counterexample";
import { exploreLaw } from "#src/explore/explore-law";
import { shortenedCase } from "#src/explore/left-out";
import { type Minimised, minimise } from "#src/explore/minimise";
import { replayLaw, settingOf } from "#src/explore/replay-law";
import type { SearchPlan } from "#src/explore/search-plan";
import { gateOf } from "#src/laws/support/taking-away";
import { must, succeed } from "#src/program/expect";
import type { Steps } from "#src/program/operation";
import { user } from "#src/program/user";
import { busyFlag } from "../../../../examples/busy-flag/busy-flag.ts";

const [contender] = contendersOf(busyFlag) as readonly [Contender];

/** A reader meets a closed gate while somebody else does something. */
function reading(other: (acts: () => void) => Steps<void>, mustHaveActed: "must" | "need not"): LawCase {
  return {
    when: "",
    schedule: "racy",
    *program({ subject }) {
      const address = yield* succeed("mmap", subject.map());
      let hasActed = mustHaveActed === "need not";
      const act = () => {
        hasActed = true;
      };
      const others = [yield* user.thread(() => other(act), "other")];
      let isClosed = false;
      others.push(
        yield* user.thread(function* () {
          for (let time = 0; time < 3; time++) {
            const wasClosed = isClosed;
            const seen = yield* user.load(address);
            must(isTrap(seen) || !wasClosed || !isClosed, "it is shown while it is taken away");
          }
        }, "reader"),
      );
      yield* gateOf(subject).close();
      isClosed = true;
      yield* user.settle();
      isClosed = false;
      yield* gateOf(subject).open();
      for (const actor of others) yield* user.join(actor);
      must(hasActed, "it is shown while it is taken away");
    },
  };
}

const idle = reading(function* () {
  yield* user.sleep(1);
  yield* user.sleep(1);
}, "need not");

function minimised(lawCase: LawCase, plan: SearchPlan): Minimised {
  const [failure] = exploreLaw(lawCase, contender, "x86-64", { plan, atFailure: "stop" }).counterexamples;
  if (failure === undefined) throw new Error("the search has found no failure");
  return minimise(settingOf(lawCase, contender, "x86-64"), failure.schedule, 1000);
}

const found = minimised(idle, "optimal");

describe("what a failure does not need of its program", () => {
  it("MUST be left out, as far as it still fails in the same words", () => {
    const { leftOut, replay } = found;
    expect(leftOut).toContainEqual({ actor: "1", name: "other", after: 0 });
    const shorter = shortenedCase(idle, leftOut);
    const setting = settingOf(shorter, contender, "x86-64");
    expect(replayLaw(setting, replay.steps)).toEqual(replay);
    expect(replay.problems[0]).toContain("it is shown while it is taken away");
  });

  it("MUST NOT be left out where the law would break for want of it", () => {
    const needed = reading(function* (acts) {
      yield* user.sleep(1);
      acts();
      yield* user.sleep(1);
    }, "must");
    const { leftOut, met } = minimised(needed, "optimal");
    expect(met).toBeDefined();
    const other = leftOut.find(({ name }) => name === "other");
    expect(other?.after ?? 2).toBeGreaterThan(0);
  });

  it("MUST come out the same, however the failure was found", () => {
    const program = { law: "XX-01", index: 0, lawCase: idle, contender };
    const plans: readonly SearchPlan[] = ["source", { preemptions: 2 }];
    const files = plans.map((plan) => savedRun(program, "x86-64", minimised(idle, plan)));
    for (const file of files) expect(file).toEqual(savedRun(program, "x86-64", found));
  });
});

it("what an actor does without MUST be told beside what its starter does without", () => {
  const nested: LawCase = {
    when: "",
    schedule: "racy",
    *program({ subject }) {
      const address = yield* succeed("mmap", subject.map());
      let [isClosed, wasShown] = [false, false];
      const outer = yield* user.thread(function* () {
        const inner = yield* user.thread(function* () {
          yield* user.sleep(1);
        }, "inner");
        const wasClosed = isClosed;
        const seen = yield* user.load(address);
        wasShown = !isTrap(seen) && !wasClosed && isClosed;
        yield* user.join(inner);
        yield* user.sleep(1);
      }, "outer");
      yield* gateOf(subject).close();
      isClosed = true;
      yield* user.settle();
      isClosed = false;
      yield* gateOf(subject).open();
      yield* user.join(outer);
      must(!wasShown, "it is shown while it is taken away");
    },
  };
  const { leftOut } = minimised(nested, "optimal");
  expect(leftOut).toEqual([
    { actor: "1.1", name: "inner", after: 0 },
    { actor: "1", name: "outer", after: 2 },
  ]);
});

describe("a program with something left out", () => {
  it("MUST start everybody all the same, so that others can wait for them", () => {
    const started: { actor: string; name: string; operations: number }[] = [];
    const shorter = shortenedCase(idle, [{ actor: "1", name: "other", after: 1 }], started);
    replayLaw(settingOf(shorter, contender, "x86-64"), []);
    expect(started.map(({ actor, name }) => `${actor} ${name}`)).toEqual(["1 other", "2 reader"]);
    expect(started.map(({ operations }) => operations)).toEqual([1, 3]);
  });
});
