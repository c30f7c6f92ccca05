import { describe, expect, test } from "vitest";
import type { Sleepable } from "../../src/contract/execution.ts";
import type { Kernel } from "../../src/contract/kernel.ts";
import { formatViolation } from "../../src/sanitize/format-violation.ts";
import { reportEnd } from "../../src/sanitize/report-end.ts";
import type { Chooser } from "../../src/sched/chooser.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import { World } from "../support/world.ts";

type Body = () => Sleepable<unknown>;

/** Runs kernel threads side by side: what was reported, under run-to-block and under some random orders of steps. */
function reports(...bodies: ((kernel: Kernel) => readonly Body[])[]): readonly string[] {
  const found = new Set<string>();
  for (const chooser of [undefined, ...Array.from({ length: 10 }, (_, seed) => randomChooser(seed))]) {
    const world = new World(chooser === undefined ? {} : { chooser });
    const threads = bodies.flatMap((body) => body(world.kernel));
    threads.forEach((body, index) => {
      world.machine.sched.spawn({ name: `thread ${index}`, kind: "kernel", cpu: index % 2 }, body());
    });
    reportEnd(world.machine, world.machine.sched.run());
    for (const { kind } of world.machine.violations.list) found.add(kind);
  }
  return [...found];
}

describe("a plain field that two threads write", () => {
  test("with nothing that orders them is a data race, also where they do not meet in this run", () => {
    const world = new World();
    const field = world.kernel.sync.plain("the driver's count", 0);
    for (const name of ["one", "two"]) {
      world.spawn(function* () {
        field.set(field.get() + 1);
      }, name);
    }
    world.run();
    expect(world.machine.violations.list).toMatchObject([
      {
        kind: "data-race",
        object: "the driver's count",
        task: "two/0",
        earlier: { task: "one/0", what: "writes the driver's count", cpu: 0 },
      },
    ]);
  });

  test("MUST NOT be one when a lock is held, of either kind", () => {
    const found = reports(({ sync }) => {
      const field = sync.plain("count", 0);
      const spin = sync.spinLock("spin");
      const mutex = sync.mutex("mutex");
      const other = sync.plain("other", 0);
      const body: Body = function* () {
        yield* spin.with(function* () {
          field.set(field.get() + 1);
        });
        yield* mutex.with(function* () {
          other.set(other.get() + 1);
        });
      };
      return [body, body, body];
    });
    expect(found).toEqual([]);
  });

  test("under different locks is one", () => {
    const found = reports(({ sync }) => {
      const field = sync.plain("count", 0);
      return ["a", "b"].map(
        (name) => () =>
          sync.mutex(name).with(function* () {
            field.set(field.get() + 1);
          }),
      );
    });
    expect(found).toEqual(["data-race"]);
  });
});

describe("a plain field under a lock for readers and writers", () => {
  const readersAnd = (write: "as readers" | "as a writer") =>
    reports(({ sync }) => {
      const field = sync.plain("count", 0);
      const lock = sync.rwSemaphore("lock");
      const reader: Body = function* () {
        yield* lock.read();
        field.get();
        lock.unlockRead();
      };
      const writer: Body = function* () {
        yield* write === "as readers" ? lock.read() : lock.write();
        field.set(1);
        if (write === "as readers") lock.unlockRead();
        else lock.unlockWrite();
      };
      return [reader, writer, reader];
    });

  test("that is written with the lock held for reading is a data race", () => {
    expect(readersAnd("as readers")).toEqual(["data-race"]);
  });

  test("MUST NOT be one when it is written with the lock held for writing", () => {
    expect(readersAnd("as a writer")).toEqual([]);
  });

  test("MUST NOT be one when the writer goes on as a reader", () => {
    const found = reports(({ sync }) => {
      const field = sync.plain("count", 0);
      const lock = sync.rwSemaphore("lock");
      const writer: Body = function* () {
        yield* lock.write();
        field.set(1);
        lock.downgrade();
        yield* sync.shared("a step", 0).get();
        lock.unlockRead();
      };
      const reader: Body = function* () {
        yield* lock.read();
        field.get();
        lock.unlockRead();
      };
      return [writer, reader];
    });
    expect(found).toEqual([]);
  });
});

describe("a plain field that one thread fills for another", () => {
  const handing = (waits: "for the wake-up" | "a while") =>
    reports(({ sync, time }) => {
      const field = sync.plain("answer", 0);
      const done = sync.shared("done", false);
      const queue = sync.waitQueue("the answer");
      const giver: Body = function* () {
        field.set(42);
        yield* done.set(true);
        yield* queue.wakeAll();
      };
      const taker: Body = function* () {
        if (waits === "a while") yield* time.sleep(1000);
        else yield* queue.waitUntil(() => done.get(), "uninterruptible");
        field.get();
      };
      return [taker, giver];
    });

  test("MUST NOT be a data race when the other waits for it", () => {
    expect(handing("for the wake-up")).toEqual([]);
  });

  test("is a data race when the other merely sleeps long enough", () => {
    expect(handing("a while")).toEqual(["data-race"]);
  });

  test("MUST NOT be a data race when the other is started afterwards, or runs when all is at rest", () => {
    const world = new World();
    const field = world.kernel.sync.plain("count", 0);
    world.asKernel(function* () {
      field.set(1);
      world.kernel.time.spawnKernelThread(
        "child",
        function* () {
          field.set(2);
        },
        "required",
      );
    });
    expect(field.get()).toBe(2);
    world.asKernel(function* () {
      field.set(3);
    });
    world.finish();
  });
});

describe("a sleeper that nobody wakes", () => {
  const waiting = (shape: { isSet: boolean; isWoken: boolean }) => {
    const world = new World();
    const { sync } = world.kernel;
    const done = sync.shared("done", false);
    const queue = sync.waitQueue("the transfer");
    world.spawn(function* () {
      yield* queue.waitUntil(() => done.get(), "uninterruptible");
    }, "sleeper");
    world.spawn(function* () {
      if (shape.isSet) yield* done.set(true);
      if (shape.isWoken) yield* queue.wakeAll();
    }, "waker");
    reportEnd(world.machine, world.machine.sched.run());
    return world.machine.violations.list;
  };

  test("though what it waits for holds has lost its wake-up", () => {
    const [violation] = waiting({ isSet: true, isWoken: false });
    expect(violation).toMatchObject({ kind: "lost-wake-up", task: "sleeper/0", object: "the transfer" });
  });

  test("and whose condition does not hold is a deadlock instead", () => {
    expect(waiting({ isSet: false, isWoken: true }).map(({ kind }) => kind)).toEqual(["deadlock"]);
  });

  test("MUST NOT be reported when it was woken", () => {
    expect(waiting({ isSet: true, isWoken: true })).toEqual([]);
  });
});

describe("a task that looks again and again", () => {
  /** Somebody asks every 10 ns whether a transfer is done, which it is after so many. */
  const polling = (doneAt: number, chooser?: Chooser) => {
    const world = new World({ stepLimit: 500, ...(chooser !== undefined && { chooser }) });
    const { time } = world.kernel;
    world.spawn(function* () {
      while (time.now() < doneAt) yield* time.sleep(10);
    }, "poller");
    reportEnd(world.machine, world.machine.sched.run());
    return world.machine.violations.list;
  };
  const choosers = [undefined, ...Array.from({ length: 5 }, (_, seed) => randomChooser(seed))];

  test.each(choosers)("for ever is a hung task, by its name", (chooser) => {
    const [violation, ...others] = polling(Number.POSITIVE_INFINITY, chooser);
    expect(violation).toMatchObject({ kind: "hung-task", operation: { what: "goes on for ever" } });
    expect(violation?.message).toContain("poller/0 ");
    expect(others).toEqual([]);
  });

  test.each(choosers)(
    "MUST NOT be reported when it finds what it looks for, late as that may be",
    (chooser) => {
      expect(polling(1000, chooser)).toEqual([]);
    },
  );
});

describe("locks that are taken both ways round", () => {
  test("are reported with where they were taken the other way round", () => {
    const world = new World();
    const one = world.kernel.sync.mutex("one");
    const two = world.kernel.sync.mutex("two");
    world.spawn(() => one.with(() => two.with(function* () {})), "a");
    world.spawn(() => two.with(() => one.with(function* () {})), "b");
    world.run();
    expect(world.machine.violations.list).toMatchObject([
      {
        kind: "lock-order",
        object: "two and one",
        task: "b/0",
        earlier: { task: "a/0", what: "takes two while it holds one" },
      },
    ]);
  });

  test("MUST NOT be reported when one was given back in between", () => {
    const found = reports(({ sync }) => {
      const one = sync.mutex("one");
      const two = sync.mutex("two");
      return [
        () => one.with(() => two.with(function* () {})),
        function* () {
          yield* two.with(function* () {});
          yield* one.with(function* () {});
        },
      ];
    });
    expect(found).toEqual([]);
  });
});

describe("a circle of waiters", () => {
  test("is reported with where the lock that is waited for was taken", () => {
    const world = new World();
    const { sync, time } = world.kernel;
    const one = sync.mutex("one");
    const never = sync.waitQueue("what never comes");
    world.spawn(() => one.with(() => never.waitUntil(() => false, "uninterruptible")), "holder");
    world.spawn(function* () {
      yield* time.sleep(10);
      yield* one.lock();
    }, "waiter");
    reportEnd(world.machine, world.machine.sched.run());
    const [violation] = world.machine.violations.list;
    expect(violation).toMatchObject({ kind: "deadlock" });
    expect(violation === undefined ? "" : formatViolation(violation)).toContain("what never comes");
  });
});

describe("a thread that may sleep", () => {
  test("with a spinlock held is reported with where it took that", () => {
    const world = new World();
    const { sync } = world.kernel;
    const spin = sync.spinLock("spin");
    const mutex = sync.mutex("mutex");
    world.asKernel(function* () {
      yield* spin.lock();
      yield* mutex.lock();
      mutex.unlock();
      spin.unlock();
    });
    expect(world.machine.violations.list[0]).toMatchObject({
      kind: "sleep-in-atomic",
      object: "mutex",
      earlier: { what: "takes spin", task: "kernel work" },
    });
  });

  test("MUST NOT be reported when it gave the spinlock back before", () => {
    const world = new World();
    const { sync } = world.kernel;
    const spin = sync.spinLock("spin");
    world.asKernel(function* () {
      yield* spin.lock();
      spin.unlock();
      yield* sync.mutex("mutex").with(function* () {});
    });
    world.finish();
  });
});
