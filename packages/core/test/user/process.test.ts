import { describe, expect, test } from "vitest";
import { EBADF, EINTR, ENOMEM } from "../../src/contract/errno.ts";
import { failAt } from "../../src/sanitize/failing-allocations.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import type { Process, Program } from "../../src/user/process.ts";
import { mapAnonymous, openDevice, TestDevice } from "../support/test-device.ts";
import { ok, RW, runProgram, started, World } from "../support/world.ts";

function child(result: Process | number): Process {
  if (typeof result === "number") throw new Error(`fork answered ${result}`);
  return result;
}

describe("a signal to a process", () => {
  test("is handled once, by its first thread that lives", () => {
    runProgram(
      () =>
        function* (thread) {
          const handled: string[] = [];
          const other = started(
            thread.spawn(function* (own) {
              own.sigaction("SIGUSR1", () => handled.push("once"));
              expect(yield* own.nanosleep(1000)).toBe(0);
            }),
          );
          yield* thread.nanosleep(10);
          thread.process.kill("SIGUSR1");
          expect(yield* thread.nanosleep(10)).toBe(-EINTR);
          expect(handled).toEqual(["once"]);
          expect(other.isAlive).toBe(true);
        },
    );
  });

  test("that nobody handles ends every thread of it", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const victim = world.spawn(function* (own) {
            own.spawn(function* (second) {
              yield* second.nanosleep(1_000_000);
            });
            yield* own.nanosleep(1_000_000);
            throw new Error("lived on");
          }, "victim");
          yield* thread.nanosleep(100);
          victim.kill("SIGTERM");
          yield* victim.waitForEnd();
          expect(victim.exit).toEqual({ signal: "SIGTERM" });
          expect(world.machine.sched.now).toBeLessThan(1000);
        },
    );
  });

  test("to one thread of it interrupts only that one", () => {
    runProgram(
      () =>
        function* (thread) {
          thread.sigaction("SIGUSR1", () => {});
          let slept: number | undefined;
          const other = started(
            thread.spawn(function* (own) {
              slept = yield* own.nanosleep(1000);
            }),
          );
          yield* thread.nanosleep(10);
          other.receive("SIGUSR1");
          expect(yield* thread.nanosleep(100)).toBe(0);
          expect(slept).toBe(-EINTR);
        },
    );
  });

  test("finds in a child the handlers of its parent", () => {
    runProgram(
      () =>
        function* (thread) {
          let handled = 0;
          thread.sigaction("SIGUSR1", () => handled++);
          const born = child(
            yield* thread.fork(function* (own) {
              yield* own.nanosleep(1000);
            }),
          );
          yield* thread.nanosleep(10);
          born.kill("SIGUSR1");
          yield* born.waitForEnd();
          expect(handled).toBe(1);
          expect(born.exit).toEqual({ status: 0 });
        },
    );
  });

  test("that has ended does nothing", () => {
    runProgram(
      () =>
        function* (thread) {
          const born = child(yield* thread.fork(function* () {}));
          yield* born.waitForEnd();
          born.kill("SIGKILL");
          expect(born.exit).toEqual({ status: 0 });
        },
    );
  });
});

describe("a process", () => {
  test("that exits takes its other threads along, with its own status", () => {
    runProgram(
      () =>
        function* (thread) {
          const born = child(
            yield* thread.fork(function* (own) {
              own.spawn(function* (second) {
                yield* second.nanosleep(1_000_000_000);
              });
              yield* own.nanosleep(10);
              own.exit(3);
            }),
          );
          yield* born.waitForEnd();
          expect(born.exit).toEqual({ status: 3 });
        },
    );
  });

  test("whose traps are deadly dies of the signal", () => {
    const world = new World();
    const process = world.machine.spawn(
      "p",
      function* (thread) {
        yield* thread.load(0x1000);
        throw new Error("lived on");
      },
      { onTrap: "die" },
    );
    world.run();
    expect(process.exit).toEqual({ signal: "SIGSEGV" });
    world.finish();
  });

  test("whose program throws is taken down like any other", () => {
    const world = new World();
    const device = new TestDevice(world, { pages: 1 });
    world.spawn(function* (thread) {
      yield* openDevice(thread, device);
      yield* mapAnonymous(thread, 2, { populating: "populate" });
      throw new Error("a bug of the test");
    });
    expect(() => world.run()).toThrow("a bug of the test");
    world.finish();
  });

  test("gives up its descriptors at its end, lowest first", () => {
    const world = new World();
    const released: number[] = [];
    const device = new TestDevice(world, {
      pages: 1,
      file: {
        open: (file) => {
          file.privateData = released.length;
          return 0;
        },
        release: (file) => {
          released.push(file.position);
        },
      },
    });
    world.run(function* (thread) {
      for (let index = 0; index < 3; index++) {
        const descriptor = yield* openDevice(thread, device);
        expect(descriptor).toBe(index);
        const file = thread.process.file(descriptor);
        if (file !== undefined) file.position = index;
      }
      ok(yield* thread.close(1));
      expect(yield* thread.close(1)).toBe(-EBADF);
      expect(yield* openDevice(thread, device)).toBe(1);
    });
    expect(released).toEqual([1, 0, 0, 2]);
    world.finish();
  });

  test("that shares its files with a child keeps them open until both are gone", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 1 });
      return function* (thread) {
        const descriptor = yield* openDevice(thread, device);
        const born = child(
          yield* thread.fork(function* (own) {
            yield* own.nanosleep(100);
            expect(yield* own.close(descriptor)).toBe(0);
          }),
        );
        ok(yield* thread.close(descriptor));
        expect(device.calls).toEqual([]);
        yield* born.waitForEnd();
        expect(device.calls).toEqual(["release"]);
      };
    });
  });
});

describe("a thread whose allocation is refused", () => {
  test("MUST NOT come to be: clone answers -ENOMEM, and the process ends without it", () => {
    const allocations = failAt("dup_task_struct", 2);
    const started: string[] = [];
    runProgram(
      () =>
        function* (thread) {
          const program = (name: string): Program =>
            function* () {
              started.push(name);
            };
          expect(thread.spawn(program("first"))).toBe(thread.process.threads[1]);
          expect(thread.spawn(program("second"))).toBe(-ENOMEM);
          expect(thread.process.threads.length).toBe(2);
          expect(thread.spawn(program("third"))).toBe(thread.process.threads[2]);
        },
      { allocations },
    );
    expect(started).toEqual(["first", "third"]);
  });
});

describe("closing a descriptor while another thread uses it", () => {
  test("MUST leave mmap a file that is alive, over random schedules", () => {
    const answers = new Set<number>();
    for (let seed = 0; seed < 150; seed++) {
      const world = new World({ chooser: randomChooser(seed) });
      const device = new TestDevice(world, { pages: 1 });
      world.run(function* (thread) {
        const descriptor = yield* openDevice(thread, device);
        thread.spawn(function* (own) {
          yield* own.close(descriptor);
        });
        const at = yield* thread.mmap({ length: world.page, protection: RW, sharing: "shared", descriptor });
        // The other thread may have closed it before the call looks.
        if (at !== -EBADF) expect(yield* thread.load(ok(at))).toBe(0x1000);
        answers.add(Math.min(at, 0));
      });
      expect(device.calls.filter((call) => call === "release")).toHaveLength(1);
      world.finish();
    }
    expect(answers).toEqual(new Set([0, -EBADF]));
  });

  test("MUST leave ftruncate a file that is alive, over random schedules", () => {
    for (let seed = 0; seed < 60; seed++) {
      const world = new World({ chooser: randomChooser(seed) });
      world.run(function* (thread) {
        const descriptor = ok(yield* thread.memfdCreate("m"));
        ok(yield* thread.ftruncate(descriptor, 4 * world.page));
        const at = ok(
          yield* thread.mmap({ length: world.page, protection: RW, sharing: "shared", descriptor }),
        );
        yield* thread.store(at, 1);
        ok(yield* thread.munmap(at, world.page));
        thread.spawn(function* (own) {
          yield* own.close(descriptor);
        });
        const result = yield* thread.ftruncate(descriptor, 0);
        expect([0, -EBADF]).toContain(result);
      });
      world.finish();
    }
  });
});

describe("many address spaces", () => {
  test("are told apart by the TLBs, one after another and at once", () => {
    const world = new World({ ramPages: 64, cpus: 1, checkAccesses: "off" });
    world.run(function* (thread) {
      const at = yield* mapAnonymous(thread, 1);
      yield* thread.store(at, 1);
      for (let round = 0; round < 1100; round++) world.machine.nextMmId++;
      const born = child(
        yield* thread.fork(function* (own) {
          yield* own.store(at, 2);
          expect(yield* own.load(at)).toBe(2);
          yield* own.nanosleep(10);
          expect(yield* own.load(at)).toBe(2);
        }),
      );
      expect(born.mm.id % 1024).not.toBe(thread.mm.id % 1024);
      yield* thread.nanosleep(5);
      expect(yield* thread.load(at)).toBe(1);
      yield* born.waitForEnd();
      expect(yield* thread.load(at)).toBe(1);
    });
    world.finish();
  });
});
