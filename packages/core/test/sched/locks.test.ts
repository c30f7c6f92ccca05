import { describe, expect, test } from "vitest";
import type { Atomic, Sleepable } from "../../src/contract/execution.ts";
import { Mutex } from "../../src/sched/mutex.ts";
import { Access } from "../../src/sched/points.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import { RwSemaphore } from "../../src/sched/rw-semaphore.ts";
import { Shared } from "../../src/sched/shared.ts";
import { SpinLock } from "../../src/sched/spin-lock.ts";
import { WaitQueue } from "../../src/sched/wait-queue.ts";
import { someChoosers, Tasks } from "../support/tasks.ts";

const SEEDS = 200;

/** A section that notices when somebody else is inside as well. */
class Section {
  readonly #cell: Shared<number>;
  inside = 0;
  most = 0;

  constructor(tasks: Tasks) {
    this.#cell = new Shared(tasks.sched, "section", 0);
  }

  *visit(): Atomic<void> {
    this.inside++;
    this.most = Math.max(this.most, this.inside);
    yield* this.#cell.update((value) => value + 1);
    yield* this.#cell.get();
    this.inside--;
  }

  *count(): Atomic<number> {
    return yield* this.#cell.get();
  }
}

function exclusion(run: (tasks: Tasks, section: Section) => () => Sleepable<void>): void {
  for (let seed = 0; seed < SEEDS; seed++) {
    const tasks = new Tasks(randomChooser(seed), 3);
    const section = new Section(tasks);
    const body = run(tasks, section);
    for (const name of ["a", "b", "c"]) {
      tasks.start(name, function* () {
        yield* body();
        yield* body();
      });
    }
    expect(tasks.run().status).toBe("finished");
    expect(section.most).toBe(1);
    expect(tasks.reports).toEqual([]);
  }
}

describe("exclusion", () => {
  test("holds for a spinlock under random schedules", () => {
    exclusion((tasks, section) => {
      const lock = new SpinLock(tasks.sched, "lock");
      return () => lock.with(() => section.visit());
    });
  });

  test("holds for a mutex, also across a sleep inside it", () => {
    exclusion((tasks, section) => {
      const lock = new Mutex(tasks.sched, "mutex");
      const timer = new WaitQueue(tasks.sched, "a timer");
      return () =>
        lock.with(function* () {
          yield* section.visit();
          const deadline = tasks.sched.now + 5;
          yield* timer.waitUntilOr(() => tasks.sched.now >= deadline, "uninterruptible", deadline);
          yield* section.visit();
        });
    });
  });

  test("holds for the writers of a semaphore", () => {
    exclusion((tasks, section) => {
      const lock = new RwSemaphore(tasks.sched, "semaphore");
      return function* () {
        yield* lock.write();
        yield* section.visit();
        lock.unlockWrite();
      };
    });
  });

  test("is missing without a lock, which the section notices", () => {
    let most = 0;
    for (let seed = 0; seed < 50; seed++) {
      const tasks = new Tasks(randomChooser(seed), 2);
      const section = new Section(tasks);
      for (const name of ["a", "b"]) tasks.start(name, () => section.visit());
      tasks.run();
      most = Math.max(most, section.most);
    }
    expect(most).toBe(2);
  });

  test("holds for mutexes in run-to-block when the holder sleeps", () => {
    const tasks = new Tasks();
    const lock = new Mutex(tasks.sched, "mutex");
    const timer = new WaitQueue(tasks.sched, "a timer");
    const order: string[] = [];
    for (const name of ["a", "b"]) {
      tasks.start(name, () =>
        lock.with(function* () {
          order.push(`${name} in`);
          const deadline = tasks.sched.now + 10;
          yield* timer.waitUntilOr(() => tasks.sched.now >= deadline, "uninterruptible", deadline);
          order.push(`${name} out`);
        }),
      );
    }
    expect(tasks.run().status).toBe("finished");
    expect(order).toEqual(["a in", "a out", "b in", "b out"]);
  });
});

describe("a reader-writer semaphore", () => {
  test("lets readers in together and keeps the writer out", () => {
    let together = 0;
    for (let seed = 0; seed < SEEDS; seed++) {
      const tasks = new Tasks(randomChooser(seed), 3);
      const lock = new RwSemaphore(tasks.sched, "semaphore");
      const cell = new Shared(tasks.sched, "cell", 0);
      let readers = 0;
      let writers = 0;
      for (const name of ["r1", "r2"]) {
        tasks.start(name, function* () {
          yield* lock.read();
          readers++;
          together = Math.max(together, readers);
          const first = yield* cell.get();
          expect(yield* cell.get()).toBe(first);
          expect(writers).toBe(0);
          readers--;
          lock.unlockRead();
        });
      }
      tasks.start("w", function* () {
        yield* lock.write();
        writers++;
        expect(readers).toBe(0);
        yield* cell.set(1);
        yield* cell.set(2);
        expect(readers).toBe(0);
        writers--;
        lock.unlockWrite();
      });
      expect(tasks.run().status).toBe("finished");
    }
    expect(together).toBe(2);
  });

  test("counts its readers in whatever order they leave", () => {
    for (const order of [
      ["a", "b", "c"],
      ["c", "b", "a"],
      ["b", "a", "c"],
    ]) {
      const tasks = new Tasks();
      const lock = new RwSemaphore(tasks.sched, "semaphore");
      const turn = new WaitQueue(tasks.sched, "turn");
      const gone: string[] = [];
      let inside = 0;
      for (const name of ["a", "b", "c"]) {
        tasks.start(name, function* () {
          yield* lock.read();
          inside++;
          yield* turn.waitUntil(function* () {
            return inside === 3 && order[gone.length] === name;
          }, "uninterruptible");
          expect(lock.isHeldByCurrent).toBe(true);
          lock.unlockRead();
          expect(lock.isHeldByCurrent).toBe(false);
          gone.push(name);
          yield* turn.wakeAll();
        });
      }
      tasks.start("w", function* () {
        yield* turn.wakeAll();
        yield* lock.write();
        expect(gone).toEqual(order);
        lock.unlockWrite();
      });
      expect(tasks.run().status).toBe("finished");
      expect(tasks.reports).toEqual([]);
    }
  });

  test("turned from writer into reader lets readers in but no writer", () => {
    for (const { chooser } of someChoosers(50)) {
      const tasks = new Tasks(chooser(), 3);
      const lock = new RwSemaphore(tasks.sched, "semaphore");
      const cell = new Shared(tasks.sched, "cell", 0);
      tasks.start("downgrader", function* () {
        yield* lock.write();
        yield* cell.set(1);
        lock.downgrade();
        const value = yield* cell.get();
        expect(yield* cell.get()).toBe(value);
        lock.unlockRead();
      });
      tasks.start("writer", function* () {
        yield* lock.write();
        yield* cell.set(5);
        lock.unlockWrite();
      });
      tasks.start("reader", function* () {
        yield* lock.read();
        yield* cell.get();
        lock.unlockRead();
      });
      expect(tasks.run().status).toBe("finished");
      expect(tasks.reports).toEqual([]);
      expect(lock.isWriteLocked).toBe(false);
    }
  });

  test("that is given back by somebody who does not hold it is not noted as given back", () => {
    const tasks = new Tasks(randomChooser(1));
    const lock = new RwSemaphore(tasks.sched, "semaphore");
    tasks.start("stranger", function* () {
      lock.unlockRead();
      expect(tasks.sched.notedAccesses).toEqual([]);
      expect(tasks.kinds).toEqual(["lock-held"]);
      yield* lock.read();
      lock.unlockRead();
      expect(tasks.sched.notedAccesses).toEqual([Access.unlockShared]);
    });
    tasks.run();
  });

  test("knows whether the current task holds it, and how", () => {
    const tasks = new Tasks();
    const lock = new RwSemaphore(tasks.sched, "semaphore");
    tasks.start("a", function* () {
      expect([lock.isHeldByCurrent, lock.isWrittenByCurrent]).toEqual([false, false]);
      yield* lock.read();
      expect([lock.isHeldByCurrent, lock.isWrittenByCurrent]).toEqual([true, false]);
      expect(yield* lock.tryRead()).toBe(true);
      lock.unlockRead();
      lock.unlockRead();
      yield* lock.write();
      expect([lock.isHeldByCurrent, lock.isWrittenByCurrent]).toEqual([true, true]);
      expect(yield* lock.tryRead()).toBe(false);
      lock.unlockWrite();
    });
    tasks.run();
    expect(lock.holders()).toEqual([]);
  });
});

describe("trying", () => {
  test("for a lock that somebody holds fails at once", () => {
    const tasks = new Tasks();
    const mutex = new Mutex(tasks.sched, "mutex");
    const spin = new SpinLock(tasks.sched, "spin");
    const timer = new WaitQueue(tasks.sched, "a timer");
    tasks.start("holder", () =>
      mutex.with(function* () {
        yield* timer.waitUntilOr(() => tasks.sched.now >= 5, "uninterruptible", 5);
      }),
    );
    tasks.start("trier", function* () {
      expect(yield* mutex.tryLock()).toBe(false);
      expect(yield* spin.tryLock()).toBe(true);
      expect(spin.isHeld).toBe(true);
      expect(yield* spin.tryLock()).toBe(false);
      spin.unlock();
    });
    expect(tasks.run().status).toBe("finished");
    expect(tasks.reports).toEqual([]);
  });

  test("against the usual order cannot deadlock and is not reported", () => {
    const tasks = new Tasks();
    const one = new Mutex(tasks.sched, "one");
    const two = new Mutex(tasks.sched, "two");
    tasks.start("a", function* () {
      yield* one.with(() => two.with(function* () {}));
      yield* two.lock();
      expect(yield* one.tryLock()).toBe(true);
      one.unlock();
      two.unlock();
    });
    tasks.run();
    expect(tasks.reports).toEqual([]);
  });
});

describe("a lock given back", () => {
  test("by nobody, or by somebody who does not hold it, is reported", () => {
    const tasks = new Tasks();
    const mutex = new Mutex(tasks.sched, "mutex");
    const semaphore = new RwSemaphore(tasks.sched, "semaphore");
    const spin = new SpinLock(tasks.sched, "spin");
    const timer = new WaitQueue(tasks.sched, "a timer");
    tasks.start("holder", function* () {
      yield* mutex.lock();
      yield* semaphore.write();
      yield* timer.waitUntilOr(() => tasks.sched.now >= 5, "uninterruptible", 5);
      semaphore.unlockWrite();
      mutex.unlock();
    });
    tasks.start("stranger", function* () {
      mutex.unlock();
      semaphore.unlockWrite();
      semaphore.unlockRead();
      spin.unlock();
    });
    expect(tasks.run().status).toBe("finished");
    expect(tasks.reports.map(({ message }) => message)).toEqual([
      "stranger gives back mutex, which holder holds",
      "stranger gives back semaphore, which holder holds",
      "stranger gives back semaphore, which it does not hold",
      "spin is given back, but nobody holds it",
    ]);
  });

  test("never, by a task that ends, is reported by name", () => {
    const tasks = new Tasks();
    const spin = new SpinLock(tasks.sched, "spin");
    tasks.start("careless", () => spin.lock());
    tasks.run();
    expect(tasks.reports).toEqual([{ kind: "lock-held", message: "careless ended while it holds spin" }]);
  });

  test("by an exception on the way out is given back all the same", () => {
    const tasks = new Tasks();
    const spin = new SpinLock(tasks.sched, "spin");
    const mutex = new Mutex(tasks.sched, "mutex");
    tasks.start("thrower", function* () {
      try {
        yield* mutex.with(() =>
          spin.with(function* () {
            throw new Error("no");
          }),
        );
      } catch {}
    });
    tasks.run();
    expect(spin.isHeld).toBe(false);
    expect(mutex.holders()).toEqual([]);
    expect(tasks.reports).toEqual([]);
  });
});

describe("a spinlock taken twice by one task", () => {
  test("is an error at once when nothing interleaves", () => {
    const tasks = new Tasks();
    const spin = new SpinLock(tasks.sched, "spin");
    tasks.start("a", () => spin.with(() => spin.lock()));
    expect(() => tasks.run()).toThrow("a spins on spin for ever: a holds it on this CPU");
  });

  test("is a deadlock with itself when everything interleaves", () => {
    const tasks = new Tasks(randomChooser(1));
    const spin = new SpinLock(tasks.sched, "spin");
    tasks.start("a", () => spin.with(() => spin.lock()));
    expect(tasks.run()).toMatchObject({ status: "deadlock", waiting: ["a waits for spin, held by a"] });
  });
});
