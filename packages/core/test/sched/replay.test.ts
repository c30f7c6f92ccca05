import { describe, expect, test } from "vitest";
import { Access, ObjectKind } from "../../src/sched/points.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import type { RecordedChoice } from "../../src/sched/recorded-choice.ts";
import { recordingChooser } from "../../src/sched/recording-chooser.ts";
import { ReplayMismatch, replayChooser } from "../../src/sched/replay-chooser.ts";
import { runToBlock } from "../../src/sched/run-to-block-chooser.ts";
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

  test("checks the second object of a step, and how it is touched", () => {
    /** A load through a TLB touches the TLB and a frame at once. */
    const load = (tasks: Tasks, frame: number, access: Access, also: "also" | "alone" = "also") => {
      for (const name of ["a", "b"]) {
        tasks.start(name, function* () {
          const first = tasks.sched.at(ObjectKind.tlb, 0, Access.read);
          yield also === "also" ? tasks.sched.also(first, ObjectKind.frameContents, frame, access) : first;
        });
      }
      tasks.run();
      return [...tasks.sched.choices];
    };
    const choices = load(new Tasks(randomChooser(1)), 7, Access.read);
    const replay = (...[frame, access, also]: [number, Access, "also"?] | [number, Access, "alone"]) => {
      return load(new Tasks(replayChooser(choices)), frame, access, also);
    };
    expect(replay(7, Access.read)).toEqual(choices);
    expect(() => replay(8, Access.read)).toThrow(
      /is about to read TLB 0 and read contents of frame 8, but the recording says read TLB 0 and read contents of frame 7$/,
    );
    expect(() => replay(7, Access.write)).toThrow(
      /and write contents of frame 7, but the recording says read TLB 0 and read/,
    );
    expect(() => replay(7, Access.read, "alone")).toThrow(/is about to read TLB 0, but the recording says/);
  });

  test("checks every object of a step, however many there are", () => {
    const touch = (tasks: Tasks, last: number) => {
      tasks.start("a", function* () {
        const point = tasks.sched.at(ObjectKind.cell, 0, Access.read);
        tasks.sched.also(point, ObjectKind.cell, 1, Access.read);
        yield tasks.sched.also(point, ObjectKind.cell, last, Access.write);
      });
      tasks.run();
      return [...tasks.sched.choices];
    };
    const choices = touch(new Tasks(randomChooser(1)), 2);
    expect(() => touch(new Tasks(replayChooser(choices)), 3)).toThrow(
      /read cell 0 and read cell 1 and write cell 3, but the recording says read cell 0 and read cell 1 and write cell 2$/,
    );
  });

  test("of a program that ends before the recording does says so when it is finished", () => {
    const { choices } = record(1);
    const tail = { task: 2, object: choices[0]!.object, access: 0, also: [] };
    const chooser = replayChooser([...choices, tail]);
    const tasks = new Tasks(chooser);
    program(tasks);
    expect(tasks.run().status).toBe("finished");
    expect(() => chooser.finish()).toThrow(
      new ReplayMismatch(
        `the program ended after ${choices.length} steps, but the recording has ${choices.length + 1}: task 2 would start task ${choices[0]!.task}`,
      ),
    );
    const whole = replayChooser(choices);
    const again = new Tasks(whole);
    program(again);
    again.run();
    expect(() => whole.finish()).not.toThrow();
  });

  test("a recording chooser chooses as the one inside, and has what the scheduler noted", () => {
    const { choices } = record(4);
    const chooser = recordingChooser(randomChooser(4));
    const tasks = new Tasks(chooser);
    program(tasks);
    tasks.run();
    expect(chooser.recorded).toEqual(choices);
    expect(() => recordingChooser(runToBlock)).toThrow("run-to-block does not interleave");
  });
});
