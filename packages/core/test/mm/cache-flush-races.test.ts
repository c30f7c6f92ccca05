import { describe, expect, it } from "vitest";
import { runsOf, seedsBelow } from "../../../../tools/exploration.ts";
import type { Sleepable } from "../../src/contract/execution.ts";
import type { Page, Pfn } from "../../src/contract/units.ts";
import { owners } from "../../src/memory/owners.ts";
import { migratePage } from "../../src/mm/migrate.ts";
import { CACHE_COLOURS } from "../../src/mmu/virtual-cache.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import type { UserThread } from "../../src/user/user-thread.ts";
import { map, mapAnonymous, TestDevice } from "../support/test-device.ts";
import { ok, World } from "../support/world.ts";

const HERE = 2 ** 20;
const SEEDS = 100;
const STORES = 12;

/** Random schedules on machines with an aliasing cache, all flushes on, and so few frames that freed ones are soon reused. */
function everySchedule(program: (world: World, thread: UserThread, seed: number) => Sleepable<void>): void {
  for (const seed of seedsBelow(SEEDS)) {
    const world = new World({
      dataCache: "virtually-indexed",
      ramPages: 64,
      cpus: 3,
      chooser: randomChooser(seed),
    });
    const { status } = world.run((thread) => program(world, thread, seed));
    expect({ seed, status }).toEqual({ seed, status: "finished" });
    world.finish();
  }
}

/** A thread that stores to a page, a different word each time, until it is told to stop; it has begun on return. */
function* storing(thread: UserThread, at: number) {
  const state = { isDone: false, hasEnded: false, stored: 0 };
  thread.spawn(function* (own) {
    for (let word = 1; word <= STORES && !state.isDone; word++) {
      if ((yield* own.store(at + 4 * word, 0xdead)) === undefined) state.stored++;
    }
    state.hasEnded = true;
  });
  while (state.stored === 0) yield* thread.load(at);
  return state;
}

/**
 * Takes new pages of every colour, that of `HERE` first: nothing but zeros may be in them, whatever their frames held
 * before.
 */
function* expectZeros(world: World, thread: UserThread, seed: number): Sleepable<void> {
  const { page } = world;
  const pages = CACHE_COLOURS + 2;
  const address = HERE + 4 * CACHE_COLOURS * page;
  const fresh = yield* mapAnonymous(thread, pages, { address, placement: "fixed" });
  for (let at = fresh; at < fresh + pages * page; at += page) {
    yield* thread.store(at, 7);
    for (let word = 1; word <= STORES; word++) {
      expect({ seed, word, value: yield* thread.load(at + 4 * word) }).toEqual({ seed, word, value: 0 });
    }
  }
  ok(yield* thread.munmap(fresh, pages * page));
}

describe("a data cache that is indexed virtually, while another thread goes on storing", () => {
  it.each(["munmap", "dontneed"] as const)(
    "a page given up by %s MUST leave nothing in the cache for the next owner of its frame",
    (how) => {
      let stored = 0;
      everySchedule(function* (world, thread, seed) {
        const { page } = world;
        for (let round = 0; round < 3; round++) {
          const memory = yield* mapAnonymous(thread, 1, { address: HERE, placement: "fixed" });
          yield* thread.store(memory, 1);
          const other = yield* storing(thread, memory);
          if (how === "dontneed") ok(yield* thread.madvise(memory, page, "dontneed"));
          other.isDone = true;
          ok(yield* thread.munmap(memory, page));
          stored += other.stored;
          yield* expectZeros(world, thread, seed);
        }
      });
      expect(stored).toBeGreaterThan(runsOf(SEEDS));
    },
  );

  it("a pfn mapping that goes MUST leave the owner of the page every store that went through", () => {
    everySchedule(function* (world, thread, seed) {
      const device = new TestDevice(world, { pages: 1 });
      const at = yield* map(thread, device, { address: HERE, placement: "fixed" });
      yield* thread.load(at);
      const other = yield* storing(thread, at);
      ok(yield* thread.munmap(at, world.page));
      while (!other.hasEnded) yield* thread.nanosleep(10);
      const { view } = world.machine.memory.frames;
      const first = device.pages[0] * world.page;
      let arrived = 0;
      for (let word = 1; word <= STORES; word++) {
        if (view.getUint32(first + 4 * word, true) === 0xdead) arrived++;
      }
      expect({ seed, arrived }).toEqual({ seed, arrived: other.stored });
    });
  });

  it("a page that moves MUST take every store along that went through at its old place", () => {
    everySchedule(function* (world, thread, seed) {
      const { page } = world;
      const memory = yield* mapAnonymous(thread, 1, { address: HERE, placement: "fixed" });
      yield* thread.store(memory, 1);
      const other = yield* storing(thread, memory);
      const to = HERE + (CACHE_COLOURS + 1) * page;
      const size = { oldLength: page, newLength: page, newAddress: to };
      ok(yield* thread.mremap({ address: memory, ...size, moving: "may-move" }));
      while (!other.hasEnded) yield* thread.nanosleep(10);
      let arrived = 0;
      for (let word = 1; word <= STORES; word++) {
        if ((yield* thread.load(to + 4 * word)) === 0xdead) arrived++;
      }
      expect({ seed, arrived }).toEqual({ seed, arrived: other.stored });
      ok(yield* thread.munmap(to, page));
    });
  });

  it("a page that is migrated MUST take every store along, and leave nothing behind", () => {
    everySchedule(function* (world, thread, seed) {
      const memory = yield* mapAnonymous(thread, 1, { address: HERE, placement: "fixed" });
      yield* thread.store(memory, 1);
      const other = yield* storing(thread, memory);
      ok(yield* migratePage(thread.mm, memory));
      while (!other.hasEnded) yield* thread.nanosleep(10);
      for (let word = 1; word <= STORES; word++) {
        expect({ seed, word, value: yield* thread.load(memory + 4 * word) }).toMatchObject({ value: 0xdead });
      }
      yield* expectZeros(world, thread, seed);
      ok(yield* thread.munmap(memory, world.page));
    });
  });

  it("a driver's page that a store replaced by a copy MUST leave nothing in the cache, whoever read it meanwhile", () => {
    everySchedule(function* (world, thread, seed) {
      const { memory } = world.machine;
      const frame = memory.pages.getFreePages(0, "bare", owners.driver) as Page;
      for (let word = 1; word <= STORES; word++) {
        memory.frames.view.setUint32(frame * world.page + 4 * word, 0xdead, true);
      }
      memory.frames.markWritten(frame, 0, world.page);
      const pfn = frame as number as Pfn;
      const device = new TestDevice(world, {
        mmap: (area) =>
          world.kernel.mappings.remapPfnRange(area, { pfn, leaves: "single", address: area.start, pages: 1 }),
      });
      const at = yield* map(thread, device, { sharing: "private", address: HERE, placement: "fixed" });
      // It keeps the table in place, so that the driver's frame is what the next page gets.
      const neighbour = yield* mapAnonymous(thread, 1, { address: HERE + world.page, placement: "fixed" });
      yield* thread.store(neighbour, 1);
      yield* thread.load(at);
      let hasRead = false;
      thread.spawn(function* (reader) {
        for (let word = 1; word <= STORES; word++) yield* reader.load(at + 4 * word);
        hasRead = true;
      });
      yield* thread.store(at, 1);
      while (!hasRead) yield* thread.nanosleep(10);
      ok(yield* thread.munmap(at, world.page));
      memory.pages.freePages(frame, 0);
      yield* expectZeros(world, thread, seed);
      ok(yield* thread.munmap(neighbour, world.page));
    });
  });
});
