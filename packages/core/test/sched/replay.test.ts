import { describe, expect, test } from "vitest";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import { type RecordedChoice, ReplayMismatch, replayChooser } from "../../src/sched/replay-chooser.ts";
import { Shared } from "../../src/sched/shared.ts";
import { Tasks } from "../support/tasks.ts";

/** Three tasks that write their names into one string; `extra` changes the program under the recording. */
function program(tasks: Tasks, extra: "as-recorded" | "longer" | "other-object" | "shorter" = "as-recorded") {
  const cell = new Shared(tasks.sched, "cell", "");
  const other = new Shared(tasks.sched, "other", "");
  const rounds = extra === "longer" ? 4 : extra === "shorter" ? 2 : 3;
  for (const name of ["a", "b", "c"]) {
    tasks.start(name, function* () {
      for (let round = 0; round < rounds; round++) {
        const target = extra === "other-object" && round === 2 ? other : cell;
        yield* target.update((value) => value + name);
      }
    });
  }
  return cell;
}

function record(seed: number): { readonly choices: readonly RecordedChoice[]; readonly text: string } {
  const tasks = new Tasks(randomChooser(seed));
  const cell = program(tasks);
  tasks.run();
  return { choices: [...tasks.sched.choices], text: textIn(cell) };
}

function textIn(cell: Shared<string>): string {
  const step = cell.get();
  for (;;) {
    const { done, value } = step.next();
    if (done === true) return value;
  }
}

describe("a replay", () => {
  test("of recorded choices gives the same run", () => {
    for (let seed = 0; seed < 30; seed++) {
      const { choices, text } = record(seed);
      const tasks = new Tasks(replayChooser(choices));
      const cell = program(tasks);
      expect(tasks.run().status).toBe("finished");
      expect(textIn(cell)).toBe(text);
      expect(tasks.sched.choices).toEqual(choices);
    }
  });

  test("of a program that goes on after the recording says so", () => {
    const { choices } = record(1);
    const tasks = new Tasks(replayChooser(choices.slice(0, 5)));
    program(tasks);
    expect(() => tasks.run()).toThrow(
      new ReplayMismatch("the recording ends after 5 steps, but the program goes on"),
    );
  });

  test("of a program whose task touches something else says what and what was recorded", () => {
    const { choices } = record(1);
    const tasks = new Tasks(replayChooser(choices));
    program(tasks, "other-object");
    expect(() => tasks.run()).toThrow(
      /step \d+: [abc] is about to write cell 1, but the recording says write cell 0/,
    );
  });

  test("of a program whose task has ended already names those that can run", () => {
    const { choices } = record(1);
    const tasks = new Tasks(replayChooser(choices));
    program(tasks, "shorter");
    expect(() => tasks.run()).toThrow(/step \d+: recorded task \d cannot run; able to run: \d \([abc]\)/);
  });
});
