import { exploreProgram, type PlainProgram } from "@nopage/testkit";
import { describe, expect, it } from "vitest";

const lostUpdate: PlainProgram = ({ variable, thread }) => {
  const x = variable(0);
  for (let number = 0; number < 2; number++) {
    thread(function* () {
      const before = yield* x.read();
      yield* x.write(before + 1);
    });
  }
  return () => x.value;
};

describe("exploreProgram", () => {
  it("finds every final state of the program in its docstring", () => {
    expect(exploreProgram(lostUpdate)).toMatchObject({ complete: true, finalStates: [1, 2], failures: [] });
  });

  it("tells each failure once, with a schedule that leads to it", () => {
    const { failures, finalStates } = exploreProgram((builder) => {
      const judge = lostUpdate(builder);
      return () => {
        if (judge() === 1) throw new Error("an update is lost");
        return "both count";
      };
    });
    expect(failures).toHaveLength(1);
    expect(failures[0]?.message).toBe("an update is lost");
    expect([...(failures[0]?.schedule ?? [])].sort()).toEqual([0, 0, 1, 1]);
    expect(finalStates).toEqual(["both count"]);
  });

  it("is incomplete when it is stopped", () => {
    expect(exploreProgram(lostUpdate, { maxExecutions: 1 })).toMatchObject({
      executions: 1,
      complete: false,
    });
  });

  it("says so when a program is not the same in every run", () => {
    let runs = 0;
    const fickle: PlainProgram = (builder) => {
      const [x, y] = [builder.variable(0), builder.variable(0)];
      const one = runs++ === 0 ? x : y;
      builder.thread(function* () {
        yield* one.write(1);
        yield* x.write(1);
      });
      builder.thread(function* () {
        yield* x.write(2);
      });
      return () => x.value;
    };
    expect(() => exploreProgram(fickle)).toThrow(/something else/);
  });
});
