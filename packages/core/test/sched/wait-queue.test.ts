import { describe, expect, test } from "vitest";
import { ERESTARTSYS } from "../../src/contract/errno.ts";
import { Access, conflicts, describeObject } from "../../src/sched/points.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import { Shared } from "../../src/sched/shared.ts";
import { SpinLock } from "../../src/sched/spin-lock.ts";
import type { WaitMode } from "../../src/sched/task.ts";
import { WaitQueue } from "../../src/sched/wait-queue.ts";
import { someChoosers, Tasks } from "../support/tasks.ts";

describe("a wait", () => {
  test("does not sleep when its condition holds already", () => {
    const tasks = new Tasks();
    const queue = new WaitQueue(tasks.sched, "q");
    tasks.start("a", function* () {
      expect(yield* queue.waitUntil(() => true, "uninterruptible")).toBe(0);
      expect(queue.length).toBe(0);
    });
    expect(tasks.run().steps).toBe(1);
  });

  test("is in a race with who looks whether anybody waits, to wake them only then", () => {
    const tasks = new Tasks(randomChooser(1));
    const queue = new WaitQueue(tasks.sched, "q");
    tasks.start("looker", function* () {
      expect(queue.length).toBe(0);
      const look = tasks.sched.notedAccesses[0] ?? 0;
      expect(tasks.sched.notedObjects.map(describeObject)).toEqual([
        expect.stringMatching(/^wait queue \d+$/),
      ]);
      expect(conflicts(look, Access.wait)).toBe(true);
    });
    expect(tasks.run().status).toBe("finished");
  });

  test("ends when it is woken and its condition holds, not when it is only woken", () => {
    const tasks = new Tasks();
    const queue = new WaitQueue(tasks.sched, "q");
    let ready = false;
    let looks = 0;
    tasks.start("waiter", function* () {
      yield* queue.waitUntil(() => {
        looks++;
        return ready;
      }, "uninterruptible");
      expect(ready).toBe(true);
    });
    tasks.start("waker", function* () {
      yield* queue.wakeAll();
      yield* queue.waitUntilOr(() => false, "uninterruptible", 10);
      ready = true;
      yield* queue.wakeAll();
    });
    expect(tasks.run().status).toBe("finished");
    expect(looks).toBe(3);
  });

  test("is not lost whenever the change and its wake-up come, over thousands of schedules", () => {
    for (let seed = 0; seed < 3000; seed++) {
      const tasks = new Tasks(randomChooser(seed), 2);
      const queue = new WaitQueue(tasks.sched, "q");
      const items = new Shared(tasks.sched, "items", 0);
      for (const name of ["c1", "c2"]) {
        tasks.start(name, function* () {
          for (;;) {
            yield* queue.waitUntil(function* () {
              return (yield* items.get()) > 0;
            }, "uninterruptible");
            const had = yield* items.update((count) => Math.max(count - 1, 0));
            if (had > 0) return;
          }
        });
      }
      tasks.start("producer", function* () {
        for (let item = 0; item < 2; item++) {
          yield* items.update((count) => count + 1);
          yield* queue.wakeAll();
        }
      });
      const report = tasks.run();
      expect(report.status, `seed ${seed}: ${report.waiting.join("; ")}`).toBe("finished");
      expect(queue.length).toBe(0);
    }
  });

  test("is lost when the change is not followed by a wake-up, and that is a deadlock", () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 100; seed++) {
      const tasks = new Tasks(randomChooser(seed));
      const queue = new WaitQueue(tasks.sched, "q");
      const flag = new Shared(tasks.sched, "flag", false);
      tasks.start("waiter", function* () {
        yield* queue.waitUntil(() => flag.get(), "uninterruptible");
      });
      tasks.start("forgetful", () => flag.set(true));
      outcomes.add(tasks.run().status);
    }
    expect([...outcomes].sort()).toEqual(["deadlock", "finished"]);
  });

  test("gives up at its deadline, in virtual time", () => {
    const tasks = new Tasks();
    const queue = new WaitQueue(tasks.sched, "q");
    tasks.start("a", function* () {
      expect(yield* queue.waitUntilOr(() => false, "uninterruptible", 500)).toBe(0);
      expect(tasks.sched.now).toBe(500);
      expect(queue.length).toBe(0);
    });
    expect(tasks.run().status).toBe("finished");
  });

  test("wakes everybody who waits", () => {
    const tasks = new Tasks();
    const queue = new WaitQueue(tasks.sched, "q");
    let open = false;
    let through = 0;
    for (const name of ["a", "b", "c"]) {
      tasks.start(name, function* () {
        yield* queue.waitUntil(() => open, "uninterruptible");
        through++;
      });
    }
    tasks.start("opener", function* () {
      expect(queue.length).toBe(3);
      open = true;
      yield* queue.wakeAll();
    });
    tasks.run();
    expect(through).toBe(3);
  });
});

describe("a signal", () => {
  const cases: [WaitMode, "pending" | "fatal", number][] = [
    ["interruptible", "pending", -ERESTARTSYS],
    ["interruptible", "fatal", -ERESTARTSYS],
    ["killable", "fatal", -ERESTARTSYS],
    ["killable", "pending", 0],
    ["uninterruptible", "pending", 0],
    ["uninterruptible", "fatal", 0],
  ];

  test.each(cases)("ends an %s wait when it is %s as the mode says: %i", (mode, severity, expected) => {
    for (const { chooser } of someChoosers()) {
      const tasks = new Tasks(chooser());
      const queue = new WaitQueue(tasks.sched, "q");
      const open = new Shared(tasks.sched, "open", false);
      let answer: number | undefined;
      const waiter = tasks.start("waiter", function* () {
        answer = yield* queue.waitUntil(() => open.get(), mode);
      });
      tasks.start("sender", function* () {
        tasks.sched.signal(waiter, severity);
        if (expected !== 0) return;
        yield* open.set(true);
        yield* queue.wakeAll();
      });
      expect(tasks.run().status).toBe("finished");
      expect(answer).toBe(expected);
      expect(queue.length).toBe(0);
    }
  });

  test("that is there before the wait ends it at once, unless the condition holds", () => {
    const tasks = new Tasks();
    const queue = new WaitQueue(tasks.sched, "q");
    const waiter = tasks.start("waiter", function* () {
      tasks.sched.signal(waiter, "pending");
      expect(yield* queue.waitUntil(() => true, "interruptible")).toBe(0);
      expect(yield* queue.waitUntil(() => false, "interruptible")).toBe(-ERESTARTSYS);
    });
    tasks.run();
  });

  test("that is fatal is not made less by one that is not", () => {
    const tasks = new Tasks();
    const task = tasks.start("a", function* () {});
    tasks.sched.signal(task, "fatal");
    tasks.sched.signal(task, "pending");
    expect(task.signal).toBe("fatal");
  });
});

describe("waiting in atomic context", () => {
  test("is reported whether or not it would have slept", () => {
    for (const holds of [true, false]) {
      const tasks = new Tasks();
      const lock = new SpinLock(tasks.sched, "device lock");
      const queue = new WaitQueue(tasks.sched, "the device");
      tasks.start("driver", function* () {
        yield* lock.lock();
        yield* queue.waitUntilOr(() => holds, "uninterruptible", 5);
        lock.unlock();
      });
      tasks.run();
      expect(tasks.reports[0]).toEqual({
        kind: "sleep-in-atomic",
        message: "driver may sleep on the device with device lock held",
      });
    }
  });

  test("in an interrupt handler is reported", () => {
    const tasks = new Tasks();
    const queue = new WaitQueue(tasks.sched, "the device");
    tasks.start("irq 5", () => queue.waitUntilOr(() => false, "uninterruptible", 5), 0, "irq");
    tasks.run();
    expect(tasks.reports[0]?.message).toBe("irq 5 may sleep on the device in an interrupt handler");
  });
});
