import { expect, it } from "vitest";
import type { Law, LawCase } from "#src/laws/law";
import { contendersOf } from "#src/model/contender";
import { plainPages } from "#src/model/plain-pages";
import { mustBe, succeed } from "#src/program/expect";
import { user } from "#src/program/user";
import { runLaw } from "#src/run/run-law";

/** It is told that no order matters, and is wrong: the thread may have stored by then. */
const hasty: LawCase = {
  when: "",
  schedule: "sequential",
  *program({ subject }) {
    const address = yield* succeed("mmap", subject.map());
    const thread = yield* user.thread(function* () {
      yield* user.store(address + 8, 7);
    });
    mustBe("the word", yield* user.load(address + 8), 0);
    yield* user.join(thread);
  },
};

const law: Law = {
  id: "XX-03",
  level: "required",
  owner: ["core"],
  rule: "no order MUST matter",
  source: "this test",
  cases: [hasty],
};

const contenders = contendersOf(plainPages).slice(0, 1);
const statusOf = (one: Law, orders: number) => runLaw(one, contenders, "x86-64", 1, orders).status;

it("a program of which no order may matter MUST be tried in as many as are asked for", () => {
  expect([statusOf(law, 1), statusOf(law, 50)]).toEqual(["pass", "fail"]);
  const { reason, explored } = runLaw(law, contenders, "x86-64", 1, 50);
  expect(reason).toMatch(/in order \d+ of those that were tried, the word is 7, and must be 0/);
  expect(explored).toBe("");
});

it("one that breaks a rule on purpose MUST be run once", () => {
  const runs: string[] = [];
  const counted: LawCase = {
    ...hasty,
    provokes: "deadlock",
    *program() {
      runs.push("run");
      const thread = yield* user.thread(function* () {});
      yield* user.join(thread);
    },
  };
  runLaw({ ...law, cases: [counted] }, contenders, "x86-64", 1, 20);
  expect(runs.length).toBe(1);
  runs.length = 0;
  const { provokes: _, ...right } = counted;
  expect(statusOf({ ...law, cases: [right] }, 20)).toBe("pass");
  expect(runs.length).toBeGreaterThan(2);
});
