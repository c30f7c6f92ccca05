import { describe, expect, test } from "vitest";
import { seedsBelow } from "../../../../tools/exploration.ts";
import type { Gate } from "../../src/contract/gate.ts";
import { mapPage, retryWhenOpen, sigbus } from "../../src/contract/outcome.ts";
import type { Fault } from "../../src/contract/vm-ops.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import { someChoosers } from "../support/tasks.ts";
import { map, mapAnonymous, TestDevice } from "../support/test-device.ts";
import { ok, runProgram, started, trapOf, World } from "../support/world.ts";

/** A device whose faults obey a gate: they wait, or get SIGBUS, or do not look at it at all. */
function gated(
  world: World,
  policy: "wait" | "sigbus" | "careless",
): { readonly device: TestDevice; readonly gate: Gate } {
  const gate = world.machine.createGate("test");
  const device: TestDevice = new TestDevice(world, {
    pages: 3,
    ops: {
      nopage: (fault: Fault) => {
        device.calls.push(`nopage ${fault.pgoff} ${fault.gate}`);
        if (fault.gate === "gone") return sigbus;
        if (fault.gate === "closed" && policy !== "careless")
          return policy === "wait" ? retryWhenOpen : sigbus;
        const page = device.pages[fault.pgoff];
        if (page === undefined) return sigbus;
        world.machine.memory.frames.get(page);
        return mapPage(page);
      },
    },
    mmap: (area) => {
      area.backing = { gate, name: "test", pages: 3, mapping: device.inode.mapping } as never;
      return 0;
    },
  });
  return { device, gate };
}

describe("a gate", () => {
  test("QU-07 MUST be open again only when every closing was undone", () => {
    const world = new World();
    const gate = world.machine.createGate("test");
    world.asKernel(function* () {
      const numbers = [gate.sequence];
      for (const step of ["close", "close", "open"] as const) {
        yield* gate[step]();
        numbers.push(gate.sequence);
        expect(gate.state).toBe("closed");
      }
      yield* gate.open();
      expect(gate.state).toBe("open");
      expect(new Set([...numbers, gate.sequence]).size).toBe(5);
      yield* gate.close();
      yield* gate.remove();
      expect(gate.state).toBe("gone");
      yield* gate.open();
      expect(gate.state).toBe("gone");
    });
    expect(() => gate.open().next()).toThrow("gate test is opened more often than it was closed");
  });
});

describe("a fault at a closed gate", () => {
  test("QU-06 MUST wait without being asked again, and be served when the gate opens, under every chooser", () => {
    for (const { chooser } of someChoosers(30)) {
      const world = new World({ chooser: chooser() });
      const { device, gate } = gated(world, "wait");
      world.run(function* (thread) {
        const at = yield* map(thread, device);
        yield* gate.close();
        for (let page = 0; page < 3; page++) {
          thread.spawn(function* (own) {
            expect(yield* own.load(at + page * world.page)).toBe(0x1000 + page);
            expect(gate.state).toBe("open");
          });
        }
        yield* thread.nanosleep(1000);
        expect(device.extraReferences).toEqual([0, 0, 0]);
        expect(device.calls.filter((call) => call.startsWith("nopage"))).toHaveLength(3);
        yield* gate.open();
        yield* thread.nanosleep(1000);
        expect(device.extraReferences).toEqual([1, 1, 1]);
      });
      world.finish();
    }
  });

  test("QU-04 MUST give up the mmap lock: a sibling maps, faults and unmaps meanwhile", () => {
    runProgram((world) => {
      const { device, gate } = gated(world, "wait");
      return function* (thread) {
        const at = yield* map(thread, device);
        yield* gate.close();
        const waiter = started(
          thread.spawn(function* (own) {
            yield* own.load(at);
          }),
        );
        yield* thread.nanosleep(10);
        const own = yield* mapAnonymous(thread, 2);
        yield* thread.store(own, 1);
        ok(yield* thread.mprotect(own, world.page, 1));
        ok(yield* thread.munmap(own, 2 * world.page));
        expect(waiter.isAlive).toBe(true);
        yield* gate.open();
        yield* thread.nanosleep(10);
        expect(waiter.isAlive).toBe(false);
        expect([waiter.minorFaults, waiter.majorFaults]).toEqual([0, 1]);
      };
    });
  });

  test("QU-05 SIGKILL MUST end it at once", () => {
    runProgram((world) => {
      const { device, gate } = gated(world, "wait");
      return function* (thread) {
        yield* gate.close();
        const victim = world.spawn(function* (own) {
          yield* own.load(yield* map(own, device));
          throw new Error("lived on");
        }, "victim");
        yield* thread.nanosleep(10);
        victim.kill("SIGKILL");
        yield* victim.waitForEnd();
        expect(world.machine.sched.now).toBe(10);
        yield* gate.open();
      };
    });
  });

  test("QU-05 FR-08 another signal MUST be delivered, and the access MUST start again", () => {
    runProgram((world) => {
      const { device, gate } = gated(world, "wait");
      return function* (thread) {
        const at = yield* map(thread, device);
        yield* gate.close();
        const handled: number[] = [];
        thread.sigaction("SIGUSR1", () => handled.push(world.machine.sched.now));
        const waiter = started(
          thread.spawn(function* (own) {
            expect(yield* own.load(at)).toBe(0x1000);
            expect(world.machine.sched.now).toBeGreaterThanOrEqual(30);
          }),
        );
        for (const time of [10, 20]) {
          yield* thread.nanosleep(time - world.machine.sched.now);
          waiter.receive("SIGUSR1");
        }
        yield* thread.nanosleep(10);
        expect(handled).toEqual([10, 20]);
        yield* gate.open();
        yield* thread.nanosleep(10);
        expect(waiter.isAlive).toBe(false);
      };
    });
  });

  test("QU-06 an opening that races with going to sleep MUST NOT be lost, over thousands of schedules", () => {
    for (const seed of seedsBelow(1500)) {
      const world = new World({ chooser: randomChooser(seed), ramPages: 32 });
      const { device, gate } = gated(world, "wait");
      world.run(function* (thread) {
        const at = yield* map(thread, device);
        yield* gate.close();
        thread.spawn(function* (own) {
          expect(yield* own.load(at)).toBe(0x1000);
        });
        yield* thread.load(0);
        yield* gate.open();
      });
      expect(
        world.machine.sched.tasks.every(({ state }) => state === "done"),
        `seed ${seed}`,
      ).toBe(true);
    }
  });

  test("QU-08 unmapped meanwhile MUST find its area gone: SIGSEGV; remapped, the new one", () => {
    runProgram((world) => {
      const { device, gate } = gated(world, "wait");
      return function* (thread) {
        const at = yield* map(thread, device);
        yield* gate.close();
        const first = started(
          thread.spawn(function* (own) {
            expect(trapOf(yield* own.load(at))).toBe("SIGSEGV SEGV_MAPERR");
          }),
        );
        const second = started(
          thread.spawn(function* (own) {
            expect(yield* own.load(at + world.page)).toBe(0);
          }),
        );
        yield* thread.nanosleep(10);
        ok(yield* thread.munmap(at, 3 * world.page));
        yield* mapAnonymous(thread, 1, { address: at + world.page, placement: "fixed" });
        expect(first.isAlive && second.isAlive).toBe(true);
        yield* gate.open();
        yield* thread.nanosleep(10);
        expect(first.isAlive || second.isAlive).toBe(false);
      };
    });
  });

  test("QU-08 MUST wake to SIGBUS when the device is removed", () => {
    runProgram((world) => {
      const { device, gate } = gated(world, "wait");
      return function* (thread) {
        const at = yield* map(thread, device);
        yield* gate.close();
        const waiter = started(
          thread.spawn(function* (own) {
            expect(trapOf(yield* own.load(at))).toBe("SIGBUS BUS_ADRERR");
          }),
        );
        yield* thread.nanosleep(10);
        yield* gate.remove();
        yield* thread.nanosleep(10);
        expect(waiter.isAlive).toBe(false);
      };
    });
  });

  test("QU-03 under the SIGBUS policy MUST be SIGBUS, and the same mapping MUST work again afterwards", () => {
    runProgram((world) => {
      const { device, gate } = gated(world, "sigbus");
      return function* (thread) {
        const at = yield* map(thread, device);
        yield* gate.close();
        expect(trapOf(yield* thread.load(at))).toBe("SIGBUS BUS_ADRERR");
        yield* gate.open();
        expect(yield* thread.load(at)).toBe(0x1000);
      };
    });
  });

  test("FR-09 by the kernel for a killed thread MUST end in an error instead of a wait", () => {
    const world = new World();
    const { device, gate } = gated(world, "wait");
    const results: number[] = [];
    const reader = new TestDevice(world, {
      path: "/dev/reader",
      file: {
        *write(_file, buffer, length) {
          results.push(yield* world.kernel.user.copyFrom(buffer, new Uint8Array(length)));
          return 0;
        },
      },
    });
    world.run(function* (thread) {
      yield* gate.close();
      const victim = world.spawn(function* (own) {
        own.sigaction("SIGUSR1", () => {});
        const at = yield* map(own, device);
        const descriptor = yield* own.open({ path: reader.path, mode: "read-write", blocking: "blocking" });
        yield* own.write(descriptor, at, 8);
      }, "victim");
      yield* thread.nanosleep(10);
      victim.kill("SIGUSR1");
      yield* thread.nanosleep(10);
      expect(results).toEqual([]);
      victim.kill("SIGKILL");
      yield* victim.waitForEnd();
      expect(results).toEqual([8]);
      yield* gate.open();
    });
    world.finish();
  });
});

describe("the race of the contract", () => {
  test.each(["wait", "sigbus", "careless"] as const)(
    "QU-02 a %s hook MUST NOT leave an entry when the gate closes between its answer and the insertion",
    (policy) => {
      let raced = 0;
      for (const seed of seedsBelow(200)) {
        const world = new World({ chooser: randomChooser(seed), cpus: 3 });
        const { device, gate } = gated(world, policy);
        world.run(function* (thread) {
          const at = yield* map(thread, device, { sharing: seed % 2 === 0 ? "shared" : "private" });
          thread.spawn(function* (own) {
            yield* own.store(at + 4, 1);
          });
          for (let step = 0; step < seed % 6; step++) yield* thread.load(0);
          yield* gate.close();
          yield* world.kernel.mappings.unmapMappingRange(device.inode.mapping, 0, 0, "shared-only");
          const entry = thread.mm.table.entryOf(at / world.page);
          if (seed % 2 === 0) expect(entry).toBe(0);
          yield* thread.nanosleep(5000);
          if (seed % 2 === 0) expect(thread.mm.table.entryOf(at / world.page)).toBe(0);
          if (device.calls.includes("nopage 0 open")) raced++;
          yield* gate.open();
        });
        world.finish();
      }
      expect(raced).toBeGreaterThan(10);
    },
  );
});
