import { describe, expect, it } from "vitest";
import { exploreLaw } from "#src/explore/explore-law";
import type { LawCase, Stage } from "#src/laws/law";
import { type Contender, contendersOf } from "#src/model/contender";
import { plainPages } from "#src/model/plain-pages";
import { succeed } from "#src/program/expect";
import type { Steps } from "#src/program/operation";
import { user } from "#src/program/user";
import { runCase } from "#src/run/run-case";

const [contender] = contendersOf(plainPages) as readonly [Contender];
const caseOf = (program: (stage: Stage) => Steps<void>): LawCase => ({ when: "", schedule: "racy", program });

/** What is wrong with a program that is run once. */
function problemsOf(program: (stage: Stage) => Steps<void>): readonly string[] {
  const end = runCase(caseOf(program), contender, "x86-64", 1);
  return end.kind === "run" ? end.problems : [end.why];
}

/** Makes something and does not perform it, as the lint of this repository would not let it be written. */
function forget(_made: Steps<unknown>): void {}

describe("an operation without its yield*", () => {
  it("MUST be told of a program", () => {
    const problems = problemsOf(function* ({ subject }) {
      const address = yield* succeed("mmap", subject.map());
      forget(user.munmap(address, subject.pageSize));
      yield* user.load(address);
    });
    expect(problems[0]).toContain("made munmap and did not perform it: expected yield* (with its star)");
  });

  it("MUST be told of a thread, and by a search of all orders", () => {
    const program = function* (): Steps<void> {
      const thread = yield* user.thread(function* () {
        forget(user.sleep(1));
        yield* user.sleep(2);
      }, "hasty");
      yield* user.join(thread);
    };
    expect(problemsOf(program)[0]).toContain("made sleep and did not perform it");
    const { counterexamples } = exploreLaw(caseOf(program), contender, "x86-64");
    expect(counterexamples[0]?.problems[0]).toMatch(/hasty.* threw made sleep and did not perform it/);
  });

  it("MUST be told of a call of what is tried", () => {
    const problems = problemsOf(function* ({ subject }) {
      yield* succeed("mmap", subject.map());
      forget(subject.map());
      forget(subject.gate?.close() ?? user.sleep(1));
    });
    expect(problems[0]).toContain("made subject.map and subject.gate.close and did not perform it");
  });

  it("MUST NOT be told of one that is made early, handed to a thread, or never reached as its thread is killed", () => {
    const problems = problemsOf(function* ({ subject }) {
      const address = yield* succeed("mmap", subject.map());
      const late = user.load(address);
      yield* user.sleep(1);
      yield* late;
      const thread = yield* user.thread(() => user.sleep(1) as Steps<never>);
      yield* user.join(thread);
      const child = yield* user.fork(function* () {
        const never = user.sleep(3);
        yield* user.sleep(1_000_000);
        yield* never;
      });
      if (typeof child !== "number") {
        yield* user.kill(child, "SIGKILL");
        yield* user.join(child);
      }
      yield* user.munmap(address, subject.pages * subject.pageSize);
    });
    expect(problems).toEqual([]);
  });
});
