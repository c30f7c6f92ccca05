import { type Contender, contendersOf, type LawCase } from "@nopage/testkit";
import { describe, expect, it } from "vitest";
import { replayLaw, settingOf } from "#src/explore/replay-law";
import { plainPages } from "#src/model/plain-pages";
import { LawBroken, must } from "#src/program/expect";
import type { Steps } from "#src/program/operation";
import { user } from "#src/program/user";

const [contender] = contendersOf(plainPages) as readonly [Contender];

/** Where a program is known to have failed, of so many steps, in which each task runs on for as long as it can. */
function failureOf(program: () => Steps<void>, about: Partial<LawCase> = {}) {
  const lawCase: LawCase = { when: "", schedule: "racy", program, ...about };
  const { problems, failedAt, steps } = replayLaw(settingOf(lawCase, contender, "x86-64"), []);
  return { problems, failedAt, steps: steps.length, name: steps[failedAt]?.name };
}

/** Somebody who goes on for a while when the others are over. */
function* withSleeper(body: () => Steps<void>, name: string): Steps<void> {
  const other = yield* user.thread(body, name);
  const sleeper = yield* user.thread(function* () {
    for (let time = 0; time < 5; time++) yield* user.sleep(1000);
  }, "sleeper");
  yield* user.join(other);
  yield* user.join(sleeper);
}

describe("the step at which a failure is known", () => {
  it("MUST be the one that throws in an operation, as none of the program's own steps does", () => {
    const { problems, failedAt, steps, name } = failureOf(() =>
      withSleeper(function* () {
        yield* user.kernel(function* ({ kernel }) {
          yield* kernel.time.sleep(10);
          throw new LawBroken("it is not so");
        });
      }, "looker"),
    );
    expect(problems).toContain("it is not so");
    expect(name).toBe("looker");
    expect(failedAt).toBeLessThan(steps - 5);
  });

  it("MUST NOT be where something is broken on purpose", () => {
    const { problems, failedAt, steps } = failureOf(
      () =>
        withSleeper(function* () {
          yield* user.kernel(function* ({ machine }) {
            machine.violations.report("contract", "on purpose");
          });
          for (let time = 0; time < 20; time++) yield* user.sleep(1000);
          must(false, "and this is not");
        }, "provoker"),
      { provokes: ["contract"] },
    );
    expect(problems).toEqual(["and this is not"]);
    expect(failedAt).toBeGreaterThan(steps / 2);
  });

  it("MUST be before the first one where there is no second task yet", () => {
    const { problems, failedAt } = failureOf(function* () {
      yield* user.sleep(1);
      must(false, "at once");
    });
    expect({ problems, failedAt }).toEqual({ problems: ["at once"], failedAt: -1 });
  });
});
