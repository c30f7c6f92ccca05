import { describe, expect, it } from "vitest";
import { HIGHWAY_ACQUIRE, HIGHWAY_START } from "../../src/index.ts";
import { pattern } from "../support/cards.ts";
import { errno, mapMemory, mapRegion, open, request, runProgram } from "../support/programs.ts";
import { buildWorld } from "../support/worlds.ts";

describe("a file that may not wait, while a transfer has the card", () => {
  it.each([
    ["a request", HIGHWAY_START],
    ["a request that would also be waited for", HIGHWAY_ACQUIRE],
    ["the buffer of read", "read"],
    ["the buffer of write", "write"],
  ] as const)("MUST be answered at once even if %s lies in the card's own mapping", (_what, call) => {
    const world = buildWorld();
    world.card.feed(0, { bytes: pattern(8192), sampleRateHz: undefined });
    runProgram(world, function* (thread) {
      const file = yield* open(thread, "nonblocking");
      const memory = yield* mapMemory(thread, 16_384);
      const region = yield* mapRegion(thread, file);
      const order = { buffer: memory + 4096, bytes: 8192, interface: 0 };
      expect(yield* request(thread, file, memory, order)).toBe(0);
      const before = world.machine.sched.now;
      const answer =
        typeof call === "number"
          ? yield* thread.ioctl(file, call, region)
          : yield* thread[call](file, region, 16);
      expect(errno(answer)).toBe("-EAGAIN");
      expect(world.machine.sched.now - before).toBeLessThan(1000);
    });
    expect(world.card.breaches).toEqual([]);
  });

  it("MUST get the card afterwards, whatever was wrong with the request", () => {
    const world = buildWorld();
    world.card.feed(0, { bytes: pattern(100), sampleRateHz: undefined });
    runProgram(world, function* (thread) {
      const file = yield* open(thread, "nonblocking");
      const memory = yield* mapMemory(thread, 4096);
      expect(errno(yield* thread.ioctl(file, HIGHWAY_START, 0))).toBe("-EFAULT");
      expect(errno(yield* thread.read(file, 0, 4))).toBe("-EFAULT");
      expect(errno(yield* thread.write(file, 0, 4))).toBe("-EFAULT");
      const order = { buffer: memory + 1024, bytes: 100, interface: 99 };
      expect(errno(yield* request(thread, file, memory, order))).toBe("-EINVAL");
      expect(yield* request(thread, file, memory, { ...order, interface: 0 })).toBe(0);
    });
  });
});
