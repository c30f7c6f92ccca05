import type { LawReplay, ReplayedStep, StateChange } from "@nopage/testkit";
import { describe, expect, it } from "vitest";
import { AT_START, afterKey, type Standing, type Stepped, thingsAt } from "#src/step/stepper";
import { screenOf } from "#src/step/stepper-screen";

const entry = (before: string | undefined, after: string | undefined): StateChange => ({
  kind: "entry",
  of: "law at 0x1000",
  before,
  after,
});

const gate: StateChange = { kind: "gate", of: "g", before: undefined, after: "open" };

function step(name: string, does: string, more: Partial<ReplayedStep> = {}): ReplayedStep {
  const counters = { faults: 0, entries: 0, pins: 0 };
  const plain = { task: name === "law" ? 0 : 1, words: "", preempts: false, cpu: 0, callers: [], counters };
  return { ...plain, name, does, events: [], changes: [], tells: [], ...more };
}

const replay: LawReplay = {
  start: [gate],
  steps: [
    step("law", "read cell 1"),
    step("thread", "write cell 1", {
      changes: [entry(undefined, "frame 7, rw")],
      callers: ["page fault", "x.nopage"],
    }),
    step("law", "write gate 1", { changes: [{ ...gate, before: "open", after: "closed" }] }),
    step("law", "write entry", { changes: [entry("frame 7, rw", undefined)], tells: ["main: close() = 0"] }),
    step("thread", "read cell 1"),
  ],
  problems: ["it is wrong\nand more of it"],
  failedAt: 3,
};

const stepped: Stepped = { title: "QU-02, on x", replay, met: [1, 2] };

function afterKeys(...keys: readonly string[]): Standing | "over" {
  let standing: Standing | "over" = AT_START;
  for (const key of keys) if (standing !== "over") standing = afterKey(stepped, standing, key);
  return standing;
}

describe("stepping through a replay", () => {
  it.each([
    [["right", "n", "space"], 3],
    [["right", "right", "left"], 1],
    [["left"], 0],
    [["end"], 5],
    [["end", "right"], 5],
    [["end", "home"], 0],
    [["f"], 4],
    [["m"], 2],
    [["m", "m"], 3],
    [["m", "m", "m"], 2],
    [["end", "m"], 2],
    [["right", "x", "toString", "resize"], 1],
  ])("leads with %j to where %i steps were taken", (keys, taken) => {
    expect(afterKeys(...keys)).toEqual({ taken, scrolled: 0 });
  });

  it.each(["q", "escape", "ctrl-c"])("is over with %s", (key) => {
    expect(afterKeys("right", key)).toBe("over");
  });

  it("scrolls the state, and never above its first line", () => {
    expect(afterKeys("pagedown", "pagedown", "pageup")).toEqual({ taken: 0, scrolled: 5 });
    expect(afterKeys("pagedown", "pageup", "pageup")).toEqual({ taken: 0, scrolled: 0 });
  });
});

describe("the machine at a step", () => {
  const at = (taken: number) =>
    thingsAt(replay, taken).map(({ of, is, was, isChanged }) => [of, is, was, isChanged]);

  it("is what all steps up to there have made of it, with the changes of the last one marked", () => {
    expect(at(0)).toEqual([["g", "open", undefined, false]]);
    expect(at(2)).toEqual([
      ["g", "open", undefined, false],
      ["law at 0x1000", "frame 7, rw", undefined, true],
    ]);
    expect(at(3)).toEqual([
      ["g", "closed", "open", true],
      ["law at 0x1000", "frame 7, rw", undefined, false],
    ]);
  });

  it("shows what the last step took away, and no longer after that", () => {
    expect(at(4)).toContainEqual(["law at 0x1000", undefined, "frame 7, rw", true]);
    expect(at(5)).toEqual([["g", "closed", "open", false]]);
  });
});

describe("the screen", () => {
  const lines = (standing: Standing, columns = 80, rows = 30): readonly string[] =>
    screenOf(stepped, standing, { columns, rows }).split("\n");

  it("is as large as the terminal, whatever there is to show", () => {
    for (const [columns, rows] of [
      [80, 30],
      [20, 8],
      [200, 12],
    ] as const) {
      for (let taken = 0; taken <= 5; taken++) {
        const shown = lines({ taken, scrolled: 3 }, columns, rows);
        expect(shown.length).toBe(rows);
        for (const line of shown) expect(line.length).toBeLessThanOrEqual(columns);
      }
    }
  });

  it("tells the task, the step, the callers and what the program does", () => {
    const shown = lines({ taken: 2, scrolled: 0 });
    expect(shown[0]).toBe("QU-02, on x");
    expect(shown[1]).toBe("after step 2 of 5, failed after 4   >> one of the two steps that met");
    expect(shown).toContain(">    2  thread  >> write cell 1");
    expect(shown).toContain("task     thread, task 1, on CPU 0");
    expect(shown).toContain("callers  page fault → x.nopage");
    expect(lines({ taken: 3, scrolled: 0 })).toContain("program  close()");
  });

  it("marks what the step has changed, with how it was", () => {
    expect(lines({ taken: 2, scrolled: 0 })).toContain(
      "* entry of law at 0x1000  frame 7, rw   (was not there)",
    );
    expect(lines({ taken: 3, scrolled: 0 })).toContain("* gate g                  closed   (was open)");
    expect(lines({ taken: 4, scrolled: 0 })).toContain("* entry of law at 0x1000  gone   (was frame 7, rw)");
  });

  it("says where the failure was known", () => {
    expect(lines({ taken: 4, scrolled: 0 })[1]).toBe(
      "after step 4 of 5, failed after 4   here it was known: it is wrong",
    );
  });

  it("says at every step how far the run had come when it failed, as it goes on after that", () => {
    const head = (over: Partial<LawReplay>, taken: number): string | undefined => {
      const other = { ...stepped, replay: { ...replay, ...over }, met: undefined };
      return screenOf(other, { taken, scrolled: 0 }, { columns: 80, rows: 30 }).split("\n")[1];
    };
    expect(head({}, 0)).toBe("before the first of 5 steps, failed after 4");
    expect(head({}, 1)).toBe("after step 1 of 5, failed after 4");
    expect(head({}, 5)).toBe("after step 5 of 5, failed after 4");
    expect(head({ failedAt: -1 }, 1)).toBe("after step 1 of 5, failed before the first");
    expect(head({ problems: [] }, 1)).toBe("after step 1 of 5");
  });
});
