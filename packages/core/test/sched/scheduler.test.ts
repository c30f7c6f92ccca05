import { describe, expect, test } from "vitest";
import type { Sleepable } from "../../src/contract/execution.ts";
import { Access, Allocator, ObjectKind } from "../../src/sched/points.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import { Shared } from "../../src/sched/shared.ts";
import { SpinLock } from "../../src/sched/spin-lock.ts";
import { WaitQueue } from "../../src/sched/wait-queue.ts";
import { Announcements } from "../support/announcements.ts";
import { Tasks } from "../support/tasks.ts";

describe("run-to-block", () => {
  test("runs each task until it sleeps or ends, in turn", () => {
    const tasks = new Tasks();
    const cell = new Shared(tasks.sched, "cell", 0);
    const order: string[] = [];
    for (const name of ["a", "b", "c"]) {
      tasks.start(name, function* () {
        for (let round = 0; round < 3; round++) {
          yield* cell.set(round);
          order.push(name);
        }
      });
    }
    expect(tasks.run()).toEqual({ status: "finished", waiting: [], steps: 3 });
    expect(order.join("")).toBe("aaabbbccc");
  });

  test("goes on with the next task in turn, not with the first", () => {
    const tasks = new Tasks();
    const order: string[] = [];
    const timer = new WaitQueue(tasks.sched, "a timer");
    for (const name of ["a", "b", "c"]) {
      tasks.start(name, function* () {
        for (let round = 1; round <= 2; round++) {
          order.push(name);
          yield* timer.waitUntilOr(() => tasks.sched.now >= round, "uninterruptible", round);
        }
      });
    }
    tasks.run();
    expect(order.join("")).toBe("abcabc");
  });

  test("records no choices and leaves points out", () => {
    const tasks = new Tasks();
    expect(tasks.sched.interleaving).toBe(false);
    tasks.start("a", function* () {});
    tasks.run();
    expect(tasks.sched.choices).toEqual([]);
  });

  test("lets an interrupt handler go first", () => {
    const tasks = new Tasks();
    const order: string[] = [];
    tasks.start("a", function* () {
      order.push("a");
    });
    tasks.start(
      "irq",
      function* () {
        order.push("irq");
      },
      0,
      "irq",
    );
    tasks.run();
    expect(order).toEqual(["irq", "a"]);
  });
});

describe("a run", () => {
  test("that is seeded takes the same choices each time, and others with another seed", () => {
    const choices = (seed: number) => {
      const tasks = new Tasks(randomChooser(seed));
      const cell = new Shared(tasks.sched, "cell", 0);
      for (const name of ["a", "b", "c"]) {
        tasks.start(name, function* () {
          for (let round = 0; round < 10; round++) yield* cell.update((value) => value + 1);
        });
      }
      tasks.run();
      return JSON.stringify(tasks.sched.choices);
    };
    expect(choices(7)).toBe(choices(7));
    const different = new Set(Array.from({ length: 20 }, (_, seed) => choices(seed)));
    expect(different.size).toBeGreaterThan(15);
  });

  test("reaches every order of two tasks", () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const tasks = new Tasks(randomChooser(seed));
      const cell = new Shared(tasks.sched, "cell", "");
      for (const name of ["a", "b"]) {
        tasks.start(name, function* () {
          yield* cell.update((value) => value + name);
          yield* cell.update((value) => value + name);
        });
      }
      tasks.start("c", function* () {}, 0);
      tasks.run();
      tasks.start("reader", function* () {
        seen.add(yield* cell.get());
      });
      tasks.run();
    }
    expect([...seen].sort()).toEqual(["aabb", "abab", "abba", "baab", "baba", "bbaa"]);
  });

  test("goes on alone without a point from where every other task has ended to where a new one is made", () => {
    const seen = new Announcements();
    const tasks = new Tasks(seen);
    const cell = new Shared(tasks.sched, "cell", 0);
    const steps = (): number => seen.accesses(ObjectKind.cell, cell.index).length;
    tasks.start("other", function* () {
      yield* cell.set(1);
      // Not alone yet.
      tasks.sched.goOnAlone();
      yield* cell.set(2);
    });
    tasks.start("left", function* () {
      yield* cell.set(3);
      expect(steps()).toBe(3);
      tasks.sched.goOnAlone();
      yield* cell.set(4);
      expect(steps()).toBe(3);
      tasks.start("new", function* () {
        yield* cell.set(5);
      });
      yield* cell.set(6);
    });
    tasks.run();
    expect(steps()).toBe(5);
  });

  test("notes nothing of what a task looks at to say what its next step touches", () => {
    const inner = randomChooser(1);
    const noted: number[] = [];
    const tasks: Tasks = new Tasks({
      ...inner,
      choose(enabled, last) {
        noted.push(...tasks.sched.notedAccesses);
        return inner.choose(enabled, last);
      },
    });
    const { sched } = tasks;
    const look = { announce: () => sched.note(ObjectKind.allocator, Allocator.window, Access.read) };
    tasks.start("careful", function* () {
      yield sched.asFound(look);
      sched.note(ObjectKind.cell, 1, Access.write);
      yield sched.at(ObjectKind.cell, 1, Access.read);
    });
    const cell = new Shared(sched, "cell", 0);
    tasks.start("other", function* () {
      for (let round = 0; round < 5; round++) yield* cell.set(round);
    });
    tasks.run();
    expect(noted).toEqual([Access.write]);
  });

  test("that never ends stops at the step limit and names who was running", () => {
    const tasks = new Tasks(randomChooser(1), 1, 500);
    const cell = new Shared(tasks.sched, "cell", 0);
    tasks.start("spinner", function* () {
      for (;;) yield* cell.get();
    });
    expect(tasks.run()).toEqual({ status: "step-limit", waiting: ["spinner can run"], steps: 501 });
  });

  test("may be followed by another on the same scheduler", () => {
    const tasks = new Tasks();
    let ran = 0;
    for (let round = 0; round < 3; round++) {
      tasks.start(`task ${round}`, function* () {
        ran++;
      });
      expect(tasks.run().status).toBe("finished");
    }
    expect(ran).toBe(3);
  });

  test("keeps what a task returned and what it threw", () => {
    const tasks = new Tasks();
    const good = tasks.start("good", function* () {
      return 42;
    });
    const bad = tasks.start("bad", function* () {
      throw new Error("out of order");
    });
    expect(tasks.sched.run().status).toBe("finished");
    expect(good.result).toBe(42);
    expect(bad.failure).toEqual(new Error("out of order"));
    expect(bad.state).toBe("done");
  });

  test("needs a CPU that exists for every task but the hardware's", () => {
    const tasks = new Tasks(undefined, 2);
    expect(() => tasks.start("lost", function* () {}, 2)).toThrow("no CPU 2: the machine has 2");
    tasks.start("engine", function* () {}, -1, "hardware");
    expect(tasks.run().status).toBe("finished");
  });
});

describe("virtual time", () => {
  function* sleepUntil(tasks: Tasks, queue: WaitQueue, time: number): Sleepable<void> {
    yield* queue.waitUntilOr(() => tasks.sched.now >= time, "uninterruptible", time);
  }

  test.each([undefined, randomChooser(3)])(
    "moves only when every task sleeps, straight to the next timer",
    (chooser) => {
      const tasks = new Tasks(chooser);
      const queue = new WaitQueue(tasks.sched, "a timer");
      const seen: [string, number][] = [];
      for (const [name, times] of [
        ["a", [10, 1_000_000]],
        ["b", [10, 11, 500]],
      ] as const) {
        tasks.start(name, function* () {
          for (const time of times) {
            yield* sleepUntil(tasks, queue, time);
            seen.push([name, tasks.sched.now]);
          }
        });
      }
      tasks.run();
      expect(seen.slice(2)).toEqual([
        ["b", 11],
        ["b", 500],
        ["a", 1_000_000],
      ]);
      expect(seen.slice(0, 2).map(([, time]) => time)).toEqual([10, 10]);
      expect(tasks.sched.now).toBe(1_000_000);
    },
  );

  test("does not move back for a timer that is already due", () => {
    const tasks = new Tasks();
    const queue = new WaitQueue(tasks.sched, "a timer");
    tasks.start("a", function* () {
      yield* sleepUntil(tasks, queue, 100);
      yield* sleepUntil(tasks, queue, 50);
      expect(tasks.sched.now).toBe(100);
    });
    tasks.run();
  });
});

describe("a deadlock", () => {
  test("of sleepers says what each of them sleeps on", () => {
    const tasks = new Tasks();
    const queue = new WaitQueue(tasks.sched, "an answer");
    tasks.start("a", function* () {
      yield* queue.waitUntil(() => false, "uninterruptible");
    });
    const report = tasks.run();
    expect(report.status).toBe("deadlock");
    expect(report.waiting).toEqual(["a sleeps on an answer"]);
  });

  test("of lock holders says who waits for which lock and who holds it", () => {
    let found: readonly string[] | undefined;
    for (let seed = 0; seed < 100 && found === undefined; seed++) {
      const tasks = new Tasks(randomChooser(seed));
      const one = new SpinLock(tasks.sched, "one");
      const two = new SpinLock(tasks.sched, "two");
      tasks.start("a", () => one.with(() => two.with(function* () {})));
      tasks.start("b", () => two.with(() => one.with(function* () {})));
      const report = tasks.run();
      if (report.status === "deadlock") found = report.waiting;
    }
    expect(found).toEqual(["a waits for two, held by b", "b waits for one, held by a"]);
  });

  test("does not count daemons that wait for work", () => {
    const tasks = new Tasks();
    const queue = new WaitQueue(tasks.sched, "work");
    tasks.daemon("worker", function* () {
      yield* queue.waitUntil(() => false, "uninterruptible");
    });
    expect(tasks.run()).toMatchObject({ status: "finished", waiting: [] });
  });
});
