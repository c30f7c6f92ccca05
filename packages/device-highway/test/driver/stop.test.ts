import { randomChooser } from "@nopage/core";
import { describe, expect, it } from "vitest";
import { seedsBelow } from "../../../../tools/exploration.ts";
import { HIGHWAY_ACQUIRE, HIGHWAY_WAIT, REGION_BYTES } from "../../src/index.ts";
import { pattern } from "../support/cards.ts";
import { errno, mapMemory, mapRegion, open, request, runProgram } from "../support/programs.ts";
import { buildWorld, combinations, holdings, inKernel, type TestWorldOptions } from "../support/worlds.ts";

const BYTES = 32_768;
const samples = pattern(BYTES);

function world(options: TestWorldOptions = {}) {
  const built = buildWorld(options);
  built.card.feed(0, { bytes: samples, sampleRateHz: undefined });
  return built;
}

const order = (memory: number) => ({ buffer: memory + 4200, bytes: BYTES, interface: 0 });
const seeds = seedsBelow(30);

describe("a process that goes away in the middle of a transfer", () => {
  it.each(combinations)(
    "%s showing %s: SIGKILL MUST stop the card and leave nothing behind",
    (_name, backing, strategy) => {
      const built = world({ strategy, highway: { backing } });
      const before = holdings(built.machine);
      const victim = built.machine.spawn("victim", function* (thread) {
        const file = yield* open(thread);
        const region = yield* mapRegion(thread, file);
        const memory = yield* mapMemory(thread, 65_536);
        thread.spawn(function* (watcher) {
          for (;;) {
            yield* watcher.load(region);
            yield* watcher.nanosleep(500);
          }
        });
        yield* request(thread, file, memory, order(memory), HIGHWAY_ACQUIRE);
      });
      const killedAt = 50_000;
      built.machine.spawn("killer", function* (thread) {
        yield* thread.nanosleep(killedAt);
        expect(built.card.isDmaRunning).toBe(true);
        victim.kill("SIGKILL");
      });
      expect(built.run().status).toBe("finished");
      expect(victim.exit).toEqual({ signal: "SIGKILL" });
      expect(holdings(built.machine)).toEqual(before);
      expect(built.card.breaches).toEqual([]);
      expect(built.driver.statistics.aborted).toBe(1);
      // One burst, not the whole transfer.
      expect(built.machine.sched.now).toBeLessThan(killedAt + 2 * 1940 + 500);
      expect(inKernel(built.machine, () => built.driver.unload())).toBe(0);
    },
  );

  it.each(combinations)(
    "%s showing %s: SIGKILL at any moment of any schedule MUST leave nothing behind",
    (_name, backing, strategy) => {
      for (const seed of seeds) {
        const built = world({
          strategy,
          highway: { backing, burstBytes: 2048 },
          machine: { chooser: randomChooser(seed), eventLog: "off", ramPages: 128 },
        });
        const before = holdings(built.machine);
        const victim = built.machine.spawn("victim", function* (thread) {
          const file = yield* open(thread);
          const region = yield* mapRegion(thread, file);
          const memory = yield* mapMemory(thread, 65_536);
          thread.spawn(function* (watcher) {
            for (;;) {
              yield* watcher.load(region);
              yield* watcher.nanosleep(300);
            }
          });
          for (;;) yield* request(thread, file, memory, { ...order(memory), bytes: 6000 }, HIGHWAY_ACQUIRE);
        });
        built.machine.spawn("killer", function* (thread) {
          yield* thread.nanosleep(seed * 700);
          victim.kill("SIGKILL");
        });
        expect({ seed, status: built.run().status }).toEqual({ seed, status: "finished" });
        expect({ seed, ...holdings(built.machine) }).toEqual({ seed, ...before });
        expect(built.card.breaches).toEqual([]);
      }
    },
  );

  it("a close without an ioctl under way MUST stop the card, and the pages stay pinned until then", () => {
    const built = world();
    runProgram(built, function* (thread) {
      const file = yield* open(thread);
      const memory = yield* mapMemory(thread, 65_536);
      yield* request(thread, file, memory, order(memory));
      expect(yield* thread.close(file)).toBe(0);
      expect(built.card.isDmaRunning).toBe(false);
      expect(errno(yield* open(thread))).toBe(0);
    });
    expect(built.driver.statistics).toMatchObject({ transfers: 1, aborted: 1 });
    expect(holdings(built.machine).violations).toEqual([]);
  });

  it("a child that holds the file MUST be able to collect what its dead parent started", () => {
    const built = world();
    const before = holdings(built.machine);
    const seen: unknown[] = [];
    runProgram(built, function* (thread) {
      const file = yield* open(thread);
      const memory = yield* mapMemory(thread, 65_536);
      yield* thread.fork(function* (child) {
        yield* child.nanosleep(10_000);
        expect(built.card.isDmaRunning).toBe(true);
        seen.push(yield* child.ioctl(file, HIGHWAY_WAIT));
      });
      yield* request(thread, file, memory, order(memory));
    });
    expect(seen).toEqual([BYTES]);
    expect(holdings(built.machine)).toEqual(before);
  });
});

describe("a buffer that goes away in the middle of a transfer", () => {
  it("munmap MUST succeed at once, and the card go on in pages that nobody else has (GP-02)", () => {
    const built = world();
    const before = holdings(built.machine);
    runProgram(built, function* (thread) {
      const file = yield* open(thread);
      const scratch = yield* mapMemory(thread, 4096);
      const memory = yield* mapMemory(thread, 65_536);
      yield* request(thread, file, scratch, order(memory));
      yield* thread.nanosleep(10_000);
      expect(yield* thread.munmap(memory, 65_536)).toBe(0);
      expect(built.card.isDmaRunning).toBe(true);
      expect(yield* thread.load(memory + 4200)).toMatchObject({ signal: "SIGSEGV", code: "SEGV_MAPERR" });
      // Takes whatever is free: it must not be what the card writes to.
      const other = yield* mapMemory(thread, 65_536);
      yield* thread.storeBlock(other, new Uint8Array(65_536).fill(0x77));
      expect(yield* thread.ioctl(file, HIGHWAY_WAIT)).toBe(BYTES);
      const untouched = (yield* thread.loadBlock(other, 65_536)) as Uint8Array;
      expect(untouched.every((byte) => byte === 0x77)).toBe(true);
    });
    expect(holdings(built.machine)).toEqual(before);
  });

  it("munmap of the region MUST NOT disturb the transfer, and a waiter in it MUST get SIGSEGV (QU-08)", () => {
    const built = world();
    runProgram(built, function* (thread) {
      const file = yield* open(thread);
      const region = yield* mapRegion(thread, file);
      const memory = yield* mapMemory(thread, 65_536);
      yield* request(thread, file, memory, order(memory));
      const waiter: unknown[] = [];
      thread.spawn(function* (own) {
        waiter.push(yield* own.load(region));
      });
      yield* thread.nanosleep(1000);
      expect(yield* thread.munmap(region, REGION_BYTES)).toBe(0);
      expect(yield* thread.ioctl(file, HIGHWAY_WAIT)).toBe(BYTES);
      yield* thread.nanosleep(1000);
      expect(waiter).toMatchObject([{ signal: "SIGSEGV" }]);
      expect(yield* thread.loadBlock(memory + 4200, BYTES)).toEqual(samples);
    });
    expect(built.card.breaches).toEqual([]);
  });

  it("fork MUST NOT take the pages from the parent, as long as it does not store to them", () => {
    const built = world();
    runProgram(built, function* (thread) {
      const file = yield* open(thread);
      const memory = yield* mapMemory(thread, 65_536);
      yield* request(thread, file, memory, order(memory));
      yield* thread.nanosleep(10_000);
      const child = yield* thread.fork(function* (own) {
        yield* own.store(memory + 8192, 0);
      });
      if (typeof child === "number") throw new Error("no fork");
      expect(yield* thread.ioctl(file, HIGHWAY_WAIT)).toBe(BYTES);
      yield* child.waitForEnd();
      expect(yield* thread.loadBlock(memory + 4200, BYTES)).toEqual(samples);
    });
    expect(built.card.breaches).toEqual([]);
  });
});
