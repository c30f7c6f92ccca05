import { describe, expect, test } from "vitest";
import { VM_READ } from "../../src/contract/index.ts";
import { compose } from "../../src/wiring/compose.ts";
import { CompositionError } from "../../src/wiring/composition-error.ts";
import { describeLeak } from "../../src/wiring/leak-report.ts";
import type { World } from "../../src/wiring/world.ts";
import { noPin, nothingShown, testRegistry, testSettings } from "./test-plugins.ts";

function world(options: object = {}): World {
  return compose({ ...testSettings, device: { name: "test-card", options } }, testRegistry());
}

function problemsOf(attempt: () => unknown): readonly string[] {
  try {
    attempt();
  } catch (failure) {
    if (failure instanceof CompositionError) return failure.message.split("\n");
    throw failure;
  }
  throw new Error("it was composed");
}

describe("compose", () => {
  test("the driver works on the strategy that the settings name", () => {
    const own = world();
    expect(own.strategy).toBe(nothingShown);
    expect(own.pinning).toBe(noPin);
    let seen: unknown;
    own.machine.spawn("reader", function* (thread) {
      const descriptor = yield* thread.open({ path: own.driver.path, mode: "read", blocking: "blocking" });
      const at = yield* thread.mmap({ length: 4096, protection: VM_READ, sharing: "shared", descriptor });
      seen = yield* thread.load(at);
    });
    expect(own.run().status).toBe("finished");
    expect(seen).toMatchObject({ signal: "SIGBUS", code: "BUS_ADRERR" });
    expect(own.close()).toEqual([]);
    expect(own.machine.violations.list).toEqual([]);
  });

  test("two worlds share nothing but the plugins", () => {
    const [one, other] = [world(), world()];
    // Compared by hand: a matcher would print both machines.
    expect(one.machine === other.machine || one.kernel === other.kernel).toBe(false);
    expect(one.strategy).toBe(other.strategy);
  });

  test("the machine is built with the options that the settings give", () => {
    const own = compose({ ...testSettings, machine: { geometry: "alpha", cpus: 3 } }, testRegistry());
    expect(own.machine.geometry.name).toBe("alpha");
    expect(own.machine.sched.cpus).toBe(3);
    expect(own.close()).toEqual([]);
  });
});

describe("what cannot be composed", () => {
  test("every problem is told at once", () => {
    const settings = { strategy: "lazy", pinning: "no-pins", device: { name: "card" }, machine: { cpus: 0 } };
    expect(problemsOf(() => compose(settings, testRegistry()))).toEqual([
      'strategy: found "lazy"; expected the name of a strategy: "nothing-shown" or "io-only"',
      'pinning: found "no-pins"; expected the name of a pinning policy: "no-pin"; nearest choice: "no-pin"',
      'device.name: found "card"; expected the name of a device driver: "test-card"; nearest choice: "test-card"',
      'machine.cpus: found 0; expected a whole number from 1 to 31; nearest choice: "1"',
    ]);
  });

  test("a strategy that can show nothing of the device's names those that can", () => {
    expect(problemsOf(() => compose({ ...testSettings, strategy: "io-only" }, testRegistry()))).toEqual([
      'strategy: found "io-only"; expected a strategy that can show what test-card has (linear), which "nothing-shown" can; io-only shows pfn-run; nearest choice: "nothing-shown"',
    ]);
  });

  test.each([
    ["throws", "but TypeError: no such card"],
    ["answers -EBUSY", "but it answered -EBUSY"],
    ["never ends", "but it never ended: deadlock; load test-card sleeps on a card that is not there"],
    ["answers nonsense", "but it answered with no loaded driver"],
  ])("a driver that %s when it is loaded", (load, why) => {
    expect(problemsOf(() => world({ load }))).toEqual([
      `device: found "test-card"; expected a driver that loads with nothing-shown and no-pin on this machine, ${why}`,
    ]);
  });

  test("a driver that refuses its options", () => {
    expect(problemsOf(() => world({ load: "refuses" }))).toEqual([
      'device.options: found {"load":"refuses"}; expected options that test-card can work with, but load is "refuses"',
    ]);
  });

  test("RAM that cannot be had is a problem of the machine", () => {
    const machine = { geometry: "arm64-64k", ramPages: 8, pagelessPages: 2 ** 31 } as const;
    expect(problemsOf(() => compose({ ...testSettings, machine }, testRegistry()))[0]).toContain(
      "machine.ramPages",
    );
  });
});

describe("closing a world", () => {
  test("it is done once, and closing again answers the same", () => {
    const own = world({ unload: "leaves its buffer" });
    const leaks = own.close();
    expect(leaks.map(describeLeak)).toEqual(["1 frame (slab)"]);
    const events = own.machine.sched.tasks.length;
    expect(own.close()).toEqual(leaks);
    expect(own.machine.sched.tasks.length).toBe(events);
  });

  test("what a driver keeps for itself while it is loaded is no leak", () => {
    expect(world().leaks()).toEqual([]);
  });

  test("an open file is a leak and keeps the driver from going", () => {
    const own = world();
    own.machine.spawn("keeper", function* (thread) {
      const descriptor = yield* thread.open({ path: "/dev/test0", mode: "read", blocking: "blocking" });
      yield* thread.mmap({ length: 4096, protection: VM_READ, sharing: "shared", descriptor });
      yield* thread.machine.createGate("never").waitUntilOpen("uninterruptible");
      yield* thread.nanosleep(Number.POSITIVE_INFINITY);
    });
    expect(own.run().status).toBe("deadlock");
    const leaks = own.close().map(describeLeak);
    expect(leaks).toContain("1 open file (/dev/test0)");
    expect(leaks).toContain("1 address space (keeper)");
    expect(leaks).toContain("1 module use (test-card)");
    expect(leaks).toContain("1 module (test-card)");
    const kinds = own.machine.violations.list.map(({ kind }) => kind);
    expect(kinds).toEqual(["deadlock", "leak"]);
  });

  test("a driver that throws while it goes is a violation", () => {
    const own = world({ unload: "throws" });
    own.close();
    expect(own.machine.violations.list.map(({ message }) => message)).toEqual([
      "unload test-card died of TypeError: the card fell out",
    ]);
  });
});

describe("a program that fails", () => {
  test("is told by name, and the run goes on", () => {
    const own = world();
    own.machine.spawn("clumsy", function* () {
      throw new TypeError("oh");
    });
    expect(own.run().status).toBe("finished");
    own.run();
    expect(own.machine.violations.list.map(({ message }) => message)).toEqual([
      "clumsy/0 died of TypeError: oh",
    ]);
  });
});
