import { randomChooser, type Sleepable, type UserThread } from "@nopage/core";
import { lazyNopage } from "@nopage/lazy-nopage";
import { describe, expect, it } from "vitest";
import { seedsBelow } from "../../../../tools/exploration.ts";
import { HIGHWAY_ACQUIRE, HIGHWAY_PATH, HIGHWAY_WAIT, REGION_BYTES } from "../../src/index.ts";
import { pattern } from "../support/cards.ts";
import { errno, mapMemory, mapRegion, open, request, runProgram } from "../support/programs.ts";
import { buildWorld, holdings, type TestWorld } from "../support/worlds.ts";

const BYTES = 32_768;
const PAGE = 4096;
const order = (memory: number) => ({ buffer: memory + 4200, bytes: BYTES, interface: 0 });

/** Unloads, and sees that a refusal changed nothing: `delete_module` as `rmmod` calls it. */
function* rmmod({ driver, machine }: TestWorld): Sleepable<number | string> {
  const { uses } = driver.module;
  const functions = machine.pci.functions().length;
  const answer = yield* driver.unload();
  if (answer !== 0) {
    expect(driver.module.uses).toBe(uses);
    expect(driver.module.isLoaded).toBe(true);
    expect(machine.devices.paths()).toEqual([HIGHWAY_PATH]);
    expect(machine.pci.functions()).toHaveLength(functions);
  }
  return errno(answer);
}

/** Runs a program that ends with the driver taken out; nothing may be left of it. */
function withDriver(program: (world: TestWorld, thread: UserThread) => Sleepable<void>): void {
  const world = buildWorld({ strategy: lazyNopage });
  world.card.feed(0, { bytes: pattern(BYTES), sampleRateHz: undefined });
  runProgram(world, function* (thread) {
    yield* program(world, thread);
    expect(yield* rmmod(world)).toBe(0);
  });
  const { machine } = world;
  expect(machine.devices.paths()).toEqual([]);
  expect(machine.pci.functions()).toEqual([]);
  expect(holdings(machine)).toMatchObject({ openFiles: 0, uses: 0, failures: [], violations: [] });
}

describe("rmmod MUST be EWOULDBLOCK, which is EAGAIN, with nothing changed", () => {
  it("while the device is open, and succeed once it is closed", () => {
    withDriver(function* (world, thread) {
      const file = yield* open(thread);
      expect(yield* rmmod(world)).toBe("-EAGAIN");
      expect(yield* thread.close(file)).toBe(0);
    });
  });

  it("while a descriptor of it is inherited, though whoever opened it has gone", () => {
    withDriver(function* (world, thread) {
      const parent = yield* thread.fork(function* (own) {
        yield* open(own);
        yield* own.fork(function* (child) {
          yield* child.nanosleep(1000);
        });
      });
      if (typeof parent === "number") throw new Error("no fork");
      yield* parent.waitForEnd();
      expect(yield* rmmod(world)).toBe("-EAGAIN");
      yield* thread.nanosleep(2000);
    });
  });

  it("while it is mapped, however little of it, and closed (MO-01, MO-02)", () => {
    withDriver(function* (world, thread) {
      const file = yield* open(thread);
      const region = yield* mapRegion(thread, file);
      yield* thread.close(file);
      expect(yield* rmmod(world)).toBe("-EAGAIN");
      yield* thread.munmap(region + PAGE, PAGE);
      yield* thread.munmap(region + 2 * PAGE, REGION_BYTES - 2 * PAGE);
      expect(yield* rmmod(world)).toBe("-EAGAIN");
      expect(yield* thread.load(region)).toBeTypeOf("number");
      yield* thread.munmap(region, PAGE);
    });
  });

  it("while only a second process maps it, which has the mapping from a fork and never opened anything", () => {
    withDriver(function* (world, thread) {
      const file = yield* open(thread);
      const region = yield* mapRegion(thread, file);
      yield* thread.close(file);
      const child = yield* thread.fork(function* (own) {
        yield* own.nanosleep(1000);
        expect(yield* own.load(region)).toBeTypeOf("number");
      });
      if (typeof child === "number") throw new Error("no fork");
      yield* thread.munmap(region, REGION_BYTES);
      expect(yield* rmmod(world)).toBe("-EAGAIN");
      yield* child.waitForEnd();
    });
  });

  it("while DMA runs, which goes on to its end", () => {
    withDriver(function* (world, thread) {
      const file = yield* open(thread);
      const memory = yield* mapMemory(thread, 65_536);
      yield* request(thread, file, memory, order(memory));
      yield* thread.nanosleep(5000);
      expect(world.card.isDmaRunning).toBe(true);
      expect(yield* rmmod(world)).toBe("-EAGAIN");
      expect(yield* thread.ioctl(file, HIGHWAY_WAIT)).toBe(BYTES);
      yield* thread.close(file);
    });
  });

  it("while a call waits for a transfer whose file has no descriptor any more", () => {
    withDriver(function* (world, thread) {
      const file = yield* open(thread);
      const memory = yield* mapMemory(thread, 65_536);
      let got = 0;
      thread.spawn(function* (own) {
        got = yield* request(own, file, memory, order(memory), HIGHWAY_ACQUIRE);
      });
      yield* thread.nanosleep(5000);
      yield* thread.close(file);
      expect(yield* rmmod(world)).toBe("-EAGAIN");
      while (got === 0) yield* thread.nanosleep(10_000);
      expect(got).toBe(BYTES);
    });
  });

  it("while a fault waits at the gate, which is let in when the transfer is over", () => {
    withDriver(function* (world, thread) {
      const file = yield* open(thread);
      const region = yield* mapRegion(thread, file);
      const memory = yield* mapMemory(thread, 65_536);
      let seen: unknown;
      yield* request(thread, file, memory, order(memory));
      thread.spawn(function* (own) {
        seen = yield* own.load(region);
      });
      yield* thread.nanosleep(5000);
      expect(seen).toBeUndefined();
      expect(yield* rmmod(world)).toBe("-EAGAIN");
      expect(yield* thread.ioctl(file, HIGHWAY_WAIT)).toBe(BYTES);
      yield* thread.nanosleep(5000);
      expect(seen).toBeTypeOf("number");
      yield* thread.close(file);
      yield* thread.munmap(region, REGION_BYTES);
    });
  });
});

describe("rmmod twice", () => {
  it("MUST be ENOENT once the driver is out", () => {
    const world = buildWorld();
    runProgram(world, function* () {
      expect(errno(yield* world.driver.unload())).toBe(0);
      expect(errno(yield* world.driver.unload())).toBe("-ENOENT");
    });
  });

  it("at the same time MUST be 0 for one, and EBUSY or ENOENT for the other, which finds the first at work or done", () => {
    const losers = new Set<number | string>();
    for (const seed of seedsBelow(40)) {
      const world = buildWorld({ machine: { chooser: randomChooser(seed), eventLog: "off" } });
      const answers: (number | string)[] = [];
      for (const name of ["one", "other"]) {
        world.machine.spawn(name, function* (thread) {
          yield* thread.nanosleep(1);
          answers.push(errno(yield* world.driver.unload()));
        });
      }
      expect({ seed, status: world.run().status }).toEqual({ seed, status: "finished" });
      expect(answers).toContain(0);
      for (const answer of answers) if (answer !== 0) losers.add(answer);
      expect(answers.filter((answer) => answer === 0)).toHaveLength(1);
      expect(holdings(world.machine)).toMatchObject({ failures: [], violations: [], uses: 0 });
    }
    expect(losers).toContain("-EBUSY");
    expect([...losers].filter((answer) => answer !== "-EBUSY" && answer !== "-ENOENT")).toEqual([]);
  });

  it("an open meanwhile MUST be refused, or keep the driver", () => {
    const outcomes = new Set<string>();
    for (const seed of seedsBelow(60)) {
      const world = buildWorld({ machine: { chooser: randomChooser(seed), eventLog: "off" } });
      let unloaded: number | string = "";
      let opened: number | string = "";
      world.machine.spawn("rmmod", function* () {
        unloaded = errno(yield* world.driver.unload());
      });
      world.machine.spawn("opener", function* (thread) {
        opened = errno(yield* open(thread));
        if (typeof opened === "number") yield* thread.close(opened);
      });
      expect(world.run().status).toBe("finished");
      outcomes.add(`${unloaded} ${opened}`);
      expect(holdings(world.machine)).toMatchObject({ failures: [], violations: [], uses: 0, openFiles: 0 });
    }
    const possible = ["-EAGAIN 0", "0 -ENODEV", "0 -ENOENT", "0 0"];
    expect([...outcomes].filter((outcome) => !possible.includes(outcome))).toEqual([]);
    expect(outcomes.size).toBeGreaterThan(2);
  });
});
