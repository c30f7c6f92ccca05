import { describe, expect, test } from "vitest";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import { Shared } from "../../src/sched/shared.ts";
import { SpinLock } from "../../src/sched/spin-lock.ts";
import { Tasks } from "../support/tasks.ts";

/** Runs two tasks on one CPU or two; answers whether the other one ran while the first was in its section. */
function overlaps(cpus: readonly [number, number], seed: number): boolean {
  const tasks = new Tasks(randomChooser(seed), 2);
  const lock = new SpinLock(tasks.sched, "lock");
  const cell = new Shared(tasks.sched, "cell", 0);
  let isInside = false;
  let overlapped = false;
  tasks.start(
    "holder",
    () =>
      lock.with(function* () {
        isInside = true;
        for (let round = 0; round < 5; round++) yield* cell.get();
        isInside = false;
      }),
    cpus[0],
  );
  tasks.start(
    "other",
    function* () {
      for (let round = 0; round < 5; round++) {
        yield* cell.get();
        overlapped ||= isInside;
      }
    },
    cpus[1],
  );
  expect(tasks.run().status).toBe("finished");
  return overlapped;
}

describe("a task that holds a spinlock", () => {
  test("is not preempted by another on its CPU", () => {
    for (let seed = 0; seed < 200; seed++) expect(overlaps([0, 0], seed)).toBe(false);
  });

  test("runs beside one on another CPU", () => {
    const seen = new Set(Array.from({ length: 50 }, (_, seed) => overlaps([0, 1], seed)));
    expect(seen.has(true)).toBe(true);
  });

  test("keeps its CPU until the outermost lock is given back", () => {
    for (let seed = 0; seed < 100; seed++) {
      const tasks = new Tasks(randomChooser(seed), 1);
      const outer = new SpinLock(tasks.sched, "outer");
      const inner = new SpinLock(tasks.sched, "inner");
      const cell = new Shared(tasks.sched, "cell", "");
      tasks.start("a", () =>
        outer.with(function* () {
          yield* inner.with(() => cell.update((value) => value + "a"));
          yield* cell.update((value) => value + "a");
        }),
      );
      tasks.start("b", () => cell.update((value) => value + "b"), 0);
      tasks.run();
      tasks.start("reader", function* () {
        expect(["aab", "baa"]).toContain(yield* cell.get());
      });
      tasks.run();
    }
  });

  test("has the operations of its longest stretch counted", () => {
    const tasks = new Tasks();
    const lock = new SpinLock(tasks.sched, "lock");
    tasks.start("a", function* () {
      tasks.sched.countAtomic(100);
      for (const count of [3, 7, 5]) {
        yield* lock.with(function* () {
          tasks.sched.countAtomic(count);
        });
      }
    });
    tasks.run();
    expect(tasks.sched.longestAtomic).toBe(7);
  });
});

describe("an interrupt handler", () => {
  /** The order in which a task's and a handler's steps on one CPU came. */
  function trace(seed: number, body: (tasks: Tasks, step: (name: string) => void) => void): string {
    const tasks = new Tasks(randomChooser(seed), 2);
    let order = "";
    body(tasks, (name) => {
      order += name;
    });
    expect(tasks.run().status).toBe("finished");
    return order;
  }

  test("interrupts a task that holds a spinlock, and is not interrupted itself", () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 300; seed++) {
      seen.add(
        trace(seed, (tasks, step) => {
          const lock = new SpinLock(tasks.sched, "lock");
          const cell = new Shared(tasks.sched, "cell", 0);
          tasks.start(
            "task",
            () =>
              lock.with(function* () {
                for (let round = 0; round < 3; round++) {
                  yield* cell.get();
                  step("t");
                }
              }),
            0,
          );
          tasks.start(
            "handler",
            function* () {
              for (let round = 0; round < 3; round++) {
                yield* cell.get();
                step("i");
              }
            },
            0,
            "irq",
          );
        }),
      );
    }
    expect([...seen].sort()).toEqual(["iiittt", "tiiitt", "ttiiit", "tttiii"]);
  });

  test("runs beside tasks of other CPUs", () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 100; seed++) {
      seen.add(
        trace(seed, (tasks, step) => {
          const cell = new Shared(tasks.sched, "cell", 0);
          for (const [name, cpu, kind] of [
            ["t", 1, "user"],
            ["i", 0, "irq"],
          ] as const) {
            tasks.start(
              name,
              function* () {
                yield* cell.get();
                step(name);
                yield* cell.get();
                step(name);
              },
              cpu,
              kind,
            );
          }
        }),
      );
    }
    expect(seen.has("titi") || seen.has("itit") || seen.has("tiit")).toBe(true);
  });

  test("of one CPU waits for the one that runs there", () => {
    for (let seed = 0; seed < 100; seed++) {
      const order = trace(seed, (tasks, step) => {
        const cell = new Shared(tasks.sched, "cell", 0);
        for (const name of ["x", "y"]) {
          tasks.start(
            name,
            function* () {
              yield* cell.get();
              step(name);
              yield* cell.get();
              step(name);
            },
            0,
            "irq",
          );
        }
      });
      expect(["xxyy", "yyxx"]).toContain(order);
    }
  });
});
