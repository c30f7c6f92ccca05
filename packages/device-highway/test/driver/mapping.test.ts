import {
  defineStrategy,
  installed,
  isTrap,
  type MappingStrategy,
  mapPfn,
  type Pfn,
  randomChooser,
} from "@nopage/core";
import { eagerRemap } from "@nopage/eager-remap";
import { describe, expect, it } from "vitest";
import { HIGHWAY_WAIT, interfaceOffset, measurement, REGION_BYTES, REGION_MAGIC } from "../../src/index.ts";
import { pattern } from "../support/cards.ts";
import { errno, mapMemory, mapRegion, open, request, runProgram } from "../support/programs.ts";
import { buildWorld, combinations, holdings } from "../support/worlds.ts";

const order = (memory: number) => ({ buffer: memory + 4096, bytes: 8192, interface: 0 });

describe("the mapping of the measurement region", () => {
  it.each(combinations)("%s showing %s: MUST show what read gives", (_name, backing, strategy) => {
    const world = buildWorld({ strategy, highway: { backing } });
    world.card.feed(3, { bytes: pattern(5000), sampleRateHz: 100 });
    runProgram(world, function* (thread) {
      const file = yield* open(thread);
      const region = yield* mapRegion(thread, file);
      const memory = yield* mapMemory(thread, REGION_BYTES);
      // What was fed after the driver was loaded shows in a mirror from its next refresh on.
      const transfer = { buffer: memory, bytes: 1, interface: 3 };
      yield* request(thread, file, memory, transfer);
      yield* thread.ioctl(file, HIGHWAY_WAIT);
      expect(yield* thread.read(file, memory, REGION_BYTES)).toBe(REGION_BYTES);
      const shown = yield* thread.loadBlock(region, REGION_BYTES);
      expect(
        Buffer.compare(shown as Uint8Array, (yield* thread.loadBlock(memory, REGION_BYTES)) as Uint8Array),
      ).toBe(0);
    });
    expect(world.card.breaches).toEqual([]);
  });

  it.each(combinations)(
    "%s showing %s: MUST refuse what does not lie inside the region (MM-07)",
    (_name, backing, strategy) => {
      const world = buildWorld({ strategy, highway: { backing } });
      runProgram(world, function* (thread) {
        const descriptor = yield* open(thread);
        const shape = { protection: 1, sharing: "shared", descriptor } as const;
        expect(errno(yield* thread.mmap({ ...shape, length: REGION_BYTES + 1 }))).toBe("-EINVAL");
        expect(errno(yield* thread.mmap({ ...shape, length: 4096, pgoff: 16 }))).toBe("-EINVAL");
        const last = yield* thread.mmap({ ...shape, length: 4096, pgoff: 15 });
        expect(yield* thread.load(last + 4092)).toBe(0xffff_ffff);
      });
    },
  );

  it.each(combinations.filter(([, , { supports }]) => supports.whileRevoked === "wait"))(
    "%s showing %s: a thread that touches it during a transfer MUST wait and then read the register",
    (_name, backing, strategy) => {
      const world = buildWorld({ strategy, highway: { backing } });
      world.card.feed(0, { bytes: pattern(8192), sampleRateHz: undefined });
      runProgram(world, function* (thread) {
        const file = yield* open(thread);
        const region = yield* mapRegion(thread, file);
        const memory = yield* mapMemory(thread, 16_384);
        expect(yield* thread.load(region)).toBe(REGION_MAGIC);
        yield* request(thread, file, memory, order(memory));
        const { sched } = thread.machine;
        const before = sched.now;
        expect(yield* thread.load(region + interfaceOffset(0) + measurement.position)).toBe(8192);
        expect(sched.now - before).toBeGreaterThan(30_000);
        expect(world.card.isDmaRunning).toBe(false);
        expect(thread.majorFaults).toBe(1);
      });
      expect(world.card.breaches).toEqual([]);
    },
  );

  it("eager-remap: a thread that touches it during a transfer MUST get SIGBUS, and the register afterwards (QU-03)", () => {
    const world = buildWorld({ strategy: eagerRemap });
    world.card.feed(0, { bytes: pattern(8192), sampleRateHz: undefined });
    runProgram(world, function* (thread) {
      const file = yield* open(thread);
      const region = yield* mapRegion(thread, file);
      const memory = yield* mapMemory(thread, 16_384);
      yield* request(thread, file, memory, order(memory));
      const trap = yield* thread.load(region);
      expect(trap).toEqual({ signal: "SIGBUS", code: "BUS_ADRERR", address: region });
      expect(errno(yield* mapRegion(thread, file))).toBe("-EAGAIN");
      yield* thread.ioctl(file, HIGHWAY_WAIT);
      expect(yield* thread.load(region)).toBe(REGION_MAGIC);
    });
    expect(world.card.breaches).toEqual([]);
  });

  it.each(combinations)(
    "%s showing %s: a forked child's mapping MUST be revoked too (QU-01)",
    (_name, backing, strategy) => {
      const world = buildWorld({ strategy, highway: { backing } });
      world.card.feed(0, { bytes: pattern(8192), sampleRateHz: undefined });
      const seen: unknown[] = [];
      runProgram(world, function* (thread) {
        const file = yield* open(thread);
        const region = yield* mapRegion(thread, file);
        const memory = yield* mapMemory(thread, 16_384);
        yield* thread.load(region);
        const child = yield* thread.fork(function* (own) {
          yield* own.load(region);
          yield* own.nanosleep(2000);
          expect(world.card.isDmaRunning).toBe(true);
          const value = yield* own.load(region);
          seen.push(isTrap(value) ? value.signal : value, world.card.isDmaRunning);
        });
        if (typeof child === "number") throw new Error("no fork");
        yield* thread.nanosleep(1000);
        yield* request(thread, file, memory, order(memory));
        yield* child.waitForEnd();
      });
      const expected = strategy.supports.whileRevoked === "wait" ? [REGION_MAGIC, false] : ["SIGBUS", true];
      expect(seen).toEqual(expected);
      expect(world.card.breaches).toEqual([]);
    },
  );
});

/** Writes entries without a look at the gate: what the contract warns of. */
const careless: MappingStrategy = defineStrategy({
  name: "careless",
  supports: { ...eagerRemap.supports, populate: "lazy", backing: ["pfn-run"], whileRevoked: "wait" },
  create: (kernel) => ({
    mmap(area, { memory }) {
      area.flags |= 0x400;
      const pfn = memory.kind === "pfn-run" ? memory.pfn : 0;
      return {
        name: "careless",
        *nopagePfn(fault) {
          yield* kernel.mappings.insertPfn(fault.area, fault.address, (pfn + fault.pgoff) as Pfn);
          return installed;
        },
      };
    },
  }),
});

/** Takes nothing away. */
const stubborn: MappingStrategy = defineStrategy({
  name: "stubborn",
  supports: careless.supports,
  create: () => ({
    mmap(area, { memory }) {
      area.flags |= 0x400;
      const pfn = memory.kind === "pfn-run" ? memory.pfn : 0;
      return { name: "stubborn", nopagePfn: (fault) => mapPfn((pfn + fault.pgoff) as Pfn) };
    },
    revoke: () => undefined,
  }),
});

describe("a strategy that lets a thread through while DMA runs", () => {
  it.each([careless, stubborn])("MUST be recorded by the card: $name", (strategy) => {
    const breaches = Array.from({ length: 20 }, (_, seed) => {
      const world = buildWorld({ strategy, machine: { chooser: randomChooser(seed) } });
      world.card.feed(0, { bytes: pattern(8192), sampleRateHz: undefined });
      runProgram(world, function* (thread) {
        const file = yield* open(thread);
        const region = yield* mapRegion(thread, file);
        const memory = yield* mapMemory(thread, 16_384);
        yield* thread.load(region);
        thread.spawn(function* (watcher) {
          for (let turn = 0; turn < 5; turn++) {
            yield* watcher.load(region);
            yield* watcher.nanosleep(3000);
          }
        }, "watcher");
        yield* request(thread, file, memory, order(memory));
        yield* thread.ioctl(file, HIGHWAY_WAIT);
      });
      expect(holdings(world.machine).violations.every(({ kind }) => kind === "device-rule")).toBe(true);
      return world.card.breaches;
    });
    expect(breaches.every((list) => list.length > 0)).toBe(true);
    expect(breaches[0]?.[0]).toMatchObject({
      rule: "touched-during-dma",
      register: "reads magic",
      who: "watcher",
    });
  });
});
