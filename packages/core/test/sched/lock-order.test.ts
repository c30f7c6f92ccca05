import { describe, expect, test } from "vitest";
import { Machine } from "../../src/machine.ts";
import { Mutex } from "../../src/sched/mutex.ts";
import { RwSemaphore } from "../../src/sched/rw-semaphore.ts";
import { SpinLock } from "../../src/sched/spin-lock.ts";
import { Tasks } from "../support/tasks.ts";

describe("the order of locks", () => {
  test("taken both ways round is reported though no deadlock happened", () => {
    const tasks = new Tasks();
    const one = new Mutex(tasks.sched, "one");
    const two = new Mutex(tasks.sched, "two");
    tasks.start("a", () => one.with(() => two.with(function* () {})));
    tasks.start("b", () => two.with(() => one.with(function* () {})));
    expect(tasks.run().status).toBe("finished");
    expect(tasks.reports).toEqual([
      { kind: "lock-order", message: "b takes one while it holds two; elsewhere two is taken under one" },
    ]);
  });

  test("is learnt across a chain of three, by name, and across kinds of locks", () => {
    const tasks = new Tasks();
    const outer = new RwSemaphore(tasks.sched, "mmap_lock");
    const middle = new Mutex(tasks.sched, "driver");
    const inner = () => new SpinLock(tasks.sched, "ptl");
    tasks.start("a", function* () {
      yield* outer.read();
      yield* middle.with(function* () {});
      outer.unlockRead();
      yield* middle.with(() => inner().with(function* () {}));
      expect(tasks.reports).toEqual([]);
      const lock = inner();
      yield* lock.lock();
      yield* outer.write();
      outer.unlockWrite();
      lock.unlock();
    });
    tasks.run();
    expect(tasks.reports).toEqual([
      { kind: "sleep-in-atomic", message: "a may sleep on mmap_lock with ptl held" },
      {
        kind: "lock-order",
        message: "a takes mmap_lock while it holds ptl; elsewhere ptl is taken under mmap_lock",
      },
    ]);
  });

  test.each(["cheap", "all"] as const)(
    "of a machine MUST be forgotten by the one that takes over its memory: %s sanitizers",
    (sanitizers) => {
      const taking = (machine: Machine, outer: string, inner: string): void => {
        const locks = [new Mutex(machine.sched, outer), new Mutex(machine.sched, inner)] as const;
        const body = () => locks[0].with(() => locks[1].with(function* () {}));
        machine.sched.spawn({ name: "a", kind: "kernel", cpu: 0 }, body());
        machine.sched.run();
      };
      const first = new Machine({ sanitizers });
      taking(first, "one", "two");
      // Classes are numbered as they come: here the other way round.
      const second = new Machine({ sanitizers }, first);
      for (const name of ["two", "one"]) new Mutex(second.sched, name);
      taking(second, "one", "two");
      expect(second.violations.list).toEqual([]);
      taking(second, "two", "one");
      expect(second.violations.list.map(({ kind }) => kind)).toEqual(["lock-order"]);
      const third = new Machine({ sanitizers }, second);
      taking(third, "two", "one");
      taking(third, "one", "two");
      expect(third.violations.list.map(({ kind }) => kind)).toEqual(["lock-order"]);
    },
  );

  test("is reported once for each pair", () => {
    const tasks = new Tasks();
    const one = new Mutex(tasks.sched, "one");
    const two = new Mutex(tasks.sched, "two");
    tasks.start("a", function* () {
      yield* one.with(() => two.with(function* () {}));
      for (let round = 0; round < 3; round++) yield* two.with(() => one.with(function* () {}));
    });
    tasks.run();
    expect(tasks.reports).toHaveLength(1);
  });

  test("of two locks of one class is that of their making", () => {
    const tasks = new Tasks();
    const older = new Mutex(tasks.sched, "mm");
    const newer = new Mutex(tasks.sched, "mm");
    tasks.start("a", function* () {
      yield* older.with(() => newer.with(function* () {}));
      expect(tasks.reports).toEqual([]);
      yield* newer.with(() => older.with(function* () {}));
    });
    tasks.run();
    expect(tasks.reports).toEqual([{ kind: "lock-order", message: "a takes mm while it already holds mm" }]);
  });

  test("is looked at anew when another lock stands below, however far", () => {
    const tasks = new Tasks();
    const older = new Mutex(tasks.sched, "mm");
    const newer = new Mutex(tasks.sched, "mm");
    const newest = new Mutex(tasks.sched, "mm");
    const driver = new Mutex(tasks.sched, "driver");
    const nested = (outer: Mutex) => outer.with(() => driver.with(() => newer.with(function* () {})));
    tasks.start("a", function* () {
      yield* nested(older);
      yield* nested(older);
      const { length } = tasks.reports;
      yield* nested(newest);
      expect(tasks.reports.slice(length)).toEqual([
        { kind: "lock-order", message: "a takes mm while it already holds mm" },
      ]);
    });
    expect(tasks.run().status).toBe("finished");
  });

  test("is looked at where the same lock was only tried before", () => {
    const tasks = new Tasks();
    const outer = new Mutex(tasks.sched, "outer");
    const inner = new SpinLock(tasks.sched, "inner");
    tasks.start("a", function* () {
      yield* inner.with(function* () {});
      yield* outer.with(function* () {
        expect(yield* inner.tryLock()).toBe(true);
        inner.unlock();
        yield* inner.with(function* () {});
      });
      expect(tasks.reports).toEqual([]);
      yield* inner.lock();
      tasks.sched.lockOrder.acquire(
        tasks.sched.running,
        tasks.sched.lockOrder.identify("outer", outer.order),
      );
      inner.unlock();
    });
    tasks.run();
    expect(tasks.reports[0]?.message).toBe(
      "a takes outer while it holds inner; elsewhere inner is taken under outer",
    );
  });

  test("is watched for more than thirty classes", () => {
    const tasks = new Tasks();
    const locks = Array.from({ length: 40 }, (_, index) => new SpinLock(tasks.sched, `lock ${index}`));
    tasks.start("a", function* () {
      for (const lock of locks) yield* lock.lock();
      for (const lock of locks) lock.unlock();
      expect(tasks.reports).toEqual([]);
      yield* locks[39]!.with(() => locks[38]!.with(function* () {}));
      yield* locks[35]!.with(() => locks[2]!.with(function* () {}));
      yield* locks[3]!.with(() => locks[2]!.with(function* () {}));
    });
    tasks.run();
    expect(tasks.reports.map(({ message }) => message)).toEqual([
      "a takes lock 38 while it holds lock 39; elsewhere lock 39 is taken under lock 38",
      "a takes lock 2 while it holds lock 35; elsewhere lock 35 is taken under lock 2",
      "a takes lock 2 while it holds lock 3; elsewhere lock 3 is taken under lock 2",
    ]);
  });
});
