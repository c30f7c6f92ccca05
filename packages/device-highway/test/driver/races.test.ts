import { randomChooser } from "@nopage/core";
import { describe, expect, it } from "vitest";
import { seedsBelow } from "../../../../tools/exploration.ts";
import { HIGHWAY_ACQUIRE, HIGHWAY_REWIND, REGION_MAGIC } from "../../src/index.ts";
import { pattern } from "../support/cards.ts";
import { mapMemory, mapRegion, open, request } from "../support/programs.ts";
import { buildWorld, combinations, holdings, type TestWorldOptions } from "../support/worlds.ts";

const BURST = { burstBytes: 1024, burstNs: 1000 };
const seeds = seedsBelow(40);

function world(seed: number, { strategy, highway }: TestWorldOptions) {
  const machine = {
    chooser: randomChooser(seed),
    eventLog: "off",
    ramPages: 128,
    cpus: 1 + (seed % 3),
  } as const;
  const built = buildWorld({ ...(strategy && { strategy }), highway: { ...highway, ...BURST }, machine });
  built.card.feed(0, { bytes: pattern(4096), sampleRateHz: undefined });
  built.card.feed(1, { bytes: pattern(3000).reverse(), sampleRateHz: undefined });
  return built;
}

describe.each(combinations)("%s showing %s, on random schedules", (_name, backing, strategy) => {
  it("threads that want the card at once MUST each get their own bytes, one after the other", () => {
    for (const seed of seedsBelow(20)) {
      const built = world(seed, { strategy, highway: { backing } });
      const before = holdings(built.machine);
      const seen: unknown[] = [];
      built.machine.spawn("test", function* (thread) {
        const file = yield* open(thread);
        const region = yield* mapRegion(thread, file);
        const memory = yield* mapMemory(thread, 16_384);
        for (const [index, bytes] of [4096, 3000].entries()) {
          thread.spawn(function* (own) {
            const at = memory + index * 8192;
            const order = { buffer: at + 64, bytes, interface: index };
            seen.push([index, yield* request(own, file, at, order, HIGHWAY_ACQUIRE)]);
            const got = yield* own.loadBlock(at + 64, bytes);
            const expected = index === 0 ? pattern(4096) : pattern(3000).reverse();
            expect(Buffer.compare(got as Uint8Array, expected)).toBe(0);
          });
        }
        thread.spawn(function* (reader) {
          expect(yield* reader.ioctl(file, HIGHWAY_REWIND, 2)).toBe(0);
          const scratch = yield* mapMemory(reader, 4096);
          expect(yield* reader.read(file, scratch, 8)).toBe(8);
          expect(yield* reader.load(scratch)).toBe(REGION_MAGIC);
          yield* reader.load(region);
        });
      });
      expect({ seed, status: built.run().status }).toEqual({ seed, status: "finished" });
      expect(seen).toHaveLength(2);
      expect(seen).toEqual(
        expect.arrayContaining([
          [0, 4096],
          [1, 3000],
        ]),
      );
      expect(built.card.breaches).toEqual([]);
      expect({ seed, ...holdings(built.machine) }).toEqual({ seed, ...before });
    }
  });

  it("a process that ends just when its transfer does MUST NOT leave the worker waiting for itself", () => {
    for (const seed of seeds) {
      const built = world(seed, { strategy, highway: { backing } });
      const before = holdings(built.machine);
      built.machine.spawn("short-lived", function* (thread) {
        const file = yield* open(thread);
        yield* mapRegion(thread, file);
        const memory = yield* mapMemory(thread, 8192);
        // All on one page: one chunk of four bursts.
        yield* request(thread, file, memory, { buffer: memory + 4096, bytes: 4096, interface: 0 });
        yield* thread.nanosleep(4 * BURST.burstNs);
        // Somewhat later on each schedule, so that some end while the worker is at this very address space.
        for (let step = 0; step < seed; step++) yield* thread.load(memory);
      });
      expect({ seed, status: built.run().status }).toEqual({ seed, status: "finished" });
      expect({ seed, ...holdings(built.machine) }).toEqual({ seed, ...before });
    }
  });
});

describe("a close that meets the card's interrupt on its own CPU", () => {
  it("MUST NOT spin for ever on the lock that the handler takes too", () => {
    for (const seed of seedsBelow(200)) {
      const built = world(3 * seed, {});
      const before = holdings(built.machine);
      built.machine.spawn("closer", function* (thread) {
        const file = yield* open(thread);
        const memory = yield* mapMemory(thread, 8192);
        yield* request(thread, file, memory, { buffer: memory + 4096, bytes: 4096, interface: 0 });
        yield* thread.nanosleep(4 * BURST.burstNs);
        yield* thread.close(file);
      });
      expect({ seed, status: built.run().status }).toEqual({ seed, status: "finished" });
      expect({ seed, ...holdings(built.machine) }).toEqual({ seed, ...before });
    }
  });
});
