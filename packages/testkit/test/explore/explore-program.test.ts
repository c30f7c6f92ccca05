import {
  exploreProgram,
  type PlainBuilder,
  type PlainPoint,
  type PlainProgram,
  type PlainThread,
} from "@nopage/testkit";
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

/** Makes a step and does not take it, as the lint of this repository would not let it be written; false. */
function forget(_made: Generator<PlainPoint, unknown, void>): boolean {
  return false;
}

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

  it.each([
    ["optimal", 4],
    ["source", 4],
    ["exhaustive", 6],
    [{ preemptions: 9 }, 6],
  ] as const)(
    "is complete by %j when the budget is just enough, and not with a run less",
    (algorithm, runs) => {
      const within = (maxExecutions: number) => exploreProgram(lostUpdate, { algorithm, maxExecutions });
      expect(within(runs)).toMatchObject({ executions: runs, complete: true });
      expect(within(runs + 1)).toEqual(within(runs));
      expect(within(runs - 1)).toMatchObject({ executions: runs - 1, complete: false });
    },
  );

  it("is not complete by preemptions when the only run there was is given up", () => {
    const endless: PlainProgram = ({ variable, thread }) => {
      const x = variable(0);
      thread(function* () {
        for (;;) yield* x.read();
      });
      return () => x.value;
    };
    const options = { algorithm: { preemptions: 3 }, maxSteps: 5 };
    expect(exploreProgram(endless, options)).toMatchObject({ complete: false, failures: [{}] });
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

  it("gives a run up that goes round in a loop, and tells which thread does", () => {
    const waiting: PlainProgram = ({ variable, thread }) => {
      const isReady = variable(false);
      thread(function* () {
        while (!(yield* isReady.read())) {
          // It looks again.
        }
      });
      thread(() => isReady.write(true));
      return () => isReady.value;
    };
    const { complete, failures } = exploreProgram(waiting, { maxSteps: 50 });
    expect(complete).toBe(false);
    expect(failures).toEqual([
      { message: "a run took 50 steps and was not over, the last by thread 0", schedule: Array(50).fill(0) },
    ]);
    expect(exploreProgram(waiting)).toMatchObject({ complete: false, failures: [{}] });
  });

  it.each([
    ["variable", (make: PlainBuilder) => make.variable(0)],
    ["counter", (make: PlainBuilder) => make.counter()],
    ["lock", (make: PlainBuilder) => make.lock()],
    ["thread", (make: PlainBuilder) => make.thread(function* () {})],
  ])("takes a %s that a thread makes for a failure: its number would depend on the order", (kind, make) => {
    const { failures } = exploreProgram((builder) => {
      const x = builder.variable(0);
      builder.thread(function* () {
        yield* x.write(1);
        make(builder);
      });
      return () => x.value;
    });
    expect(failures[0]?.message).toBe(
      `a ${kind} is made by a thread; expected it to be made before any thread runs`,
    );
  });

  it("says what is wrong with a program, a thread or a step", () => {
    expect(() => exploreProgram((() => undefined) as never)).toThrow(
      "the program answered undefined; expected",
    );
    expect(() =>
      exploreProgram(({ thread }) => {
        thread((() => 7) as never);
        return () => 0;
      }),
    ).toThrow("thread 0 is 7; expected a generator");
    const withoutStar = exploreProgram(({ variable, thread }) => {
      const x = variable(0);
      const unrun: Record<"step", unknown> = { step: x.write(1) };
      thread(function* () {
        yield unrun.step as never;
      });
      return () => x.value;
    });
    expect(withoutStar.failures[0]?.message).toMatch("expected yield* (with its star)");
  });

  describe("of a step without its yield*", () => {
    const forgetful = (body: (builder: PlainBuilder) => () => PlainThread): readonly string[] => {
      const { failures, finalStates } = exploreProgram((builder) => {
        builder.thread(body(builder));
        builder.thread(function* () {});
        return () => "well";
      });
      expect(finalStates).toEqual([]);
      return failures.map(({ message }) => message);
    };
    const untaken =
      "thread 0 made a step that was not taken: expected yield* (with its star) before each step";

    it.each<[string, (builder: PlainBuilder) => () => PlainThread]>([
      [
        "a read in a condition",
        ({ variable }) => {
          const x = variable(0);
          return function* () {
            if (forget(x.read())) yield* x.write(1);
          };
        },
      ],
      [
        "a write that is given back",
        ({ variable }) => {
          const x = variable(0);
          return function* () {
            yield* x.write(2);
            return x.write(1) as never;
          };
        },
      ],
      [
        "an update and a compare-and-swap",
        ({ variable }) => {
          const x = variable(0);
          return function* () {
            forget(x.update((value) => value + 1));
            if (!forget(x.compareAndSwap(0, 1))) yield* x.write(3);
          };
        },
      ],
      [
        "an addition",
        ({ counter }) => {
          const x = counter();
          return function* () {
            forget(x.add(1));
            yield* x.read();
          };
        },
      ],
    ])("tells it: %s", (_what, body) => {
      expect(forgetful(body)).toEqual([untaken]);
    });

    it("tells it beside what comes of it", () => {
      const [message] = forgetful(({ lock }) => {
        const one = lock();
        return function* () {
          forget(one.lock());
          one.unlock();
        };
      });
      expect(message).toBe(`a lock is given back that nobody holds; ${untaken}`);
    });

    it("ends a loop that would never end", () => {
      const [message] = forgetful(({ variable }) => {
        const x = variable(0);
        return function* () {
          while (!forget(x.read())) {
            // It never looks.
          }
        };
      });
      expect(message).toContain("steps were made and not taken: expected yield*");
    });

    it("tells it of the program where no thread has made it", () => {
      const { failures } = exploreProgram(({ variable, thread }) => {
        const x = variable(0);
        forget(x.write(1));
        thread(() => x.write(2));
        return () => x.value;
      });
      expect(failures[0]?.message).toContain("the program made a step that was not taken");
    });

    it("says nothing of a step that is made early and taken late, or by another thread, or never in a deadlock", () => {
      const late = exploreProgram(({ variable, thread, lock }) => {
        const [x, one] = [variable(0), lock()];
        const shared = x.write(5);
        thread(function* () {
          const step = x.write(1);
          yield* one.lock();
          yield* step;
        });
        thread(() => shared);
        thread(() => one.lock());
        return () => x.value;
      });
      expect(late.failures.map(({ message }) => message).sort()).toEqual([
        "deadlock: thread 0 waits for ever",
        "deadlock: thread 2 waits for ever",
      ]);
    });
  });

  it.each([
    [{ algorithm: "best" as never }, 'the algorithm is "best"; expected optimal, source'],
    [{ algorithm: {} as never }, "the algorithm is {}; expected"],
    [{ maxExecutions: 0 }, "maxExecutions is 0; expected a whole number from 1 on, nearest is 1"],
    [{ maxExecutions: Number.NaN }, "maxExecutions is NaN"],
    [{ maxSteps: -3 }, "maxSteps is -3; expected a whole number from 1 on, nearest is 1"],
  ])("refuses %j", (options, problem) => {
    expect(() => exploreProgram(lostUpdate, options)).toThrow(problem);
  });
});
