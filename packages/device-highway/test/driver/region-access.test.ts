import { VM_READ } from "@nopage/core";
import { pageLookup } from "@nopage/page-lookup";
import { describe, expect, it } from "vitest";
import {
  CONTROL_ENABLE,
  decodeStatistics,
  HIGHWAY_ACQUIRE,
  HIGHWAY_REWIND,
  HIGHWAY_START,
  HIGHWAY_STATISTICS,
  interfaceOffset,
  measurement,
  REGION_BYTES,
  REGION_MAGIC,
} from "../../src/index.ts";
import { pattern } from "../support/cards.ts";
import { errno, mapMemory, mapRegion, open, request, runProgram } from "../support/programs.ts";
import { buildWorld, combinations } from "../support/worlds.ts";

const order = (buffer: number, bytes = 4096) => ({ buffer, bytes, interface: 0 });

describe("read and write", () => {
  it("read MUST give the region's bytes from the file's position on, and 0 at the end", () => {
    const world = buildWorld();
    world.card.feed(0, { bytes: pattern(100), sampleRateHz: 50 });
    runProgram(world, function* (thread) {
      const file = yield* open(thread);
      const memory = yield* mapMemory(thread, REGION_BYTES);
      expect(yield* thread.read(file, memory, 3)).toBe(3);
      expect(yield* thread.read(file, memory + 3, 1)).toBe(1);
      expect(yield* thread.load(memory)).toBe(REGION_MAGIC);
      expect(yield* thread.read(file, memory + 4, REGION_BYTES)).toBe(REGION_BYTES - 4);
      expect(yield* thread.load(memory + interfaceOffset(0) + measurement.length)).toBe(100);
      const samples = yield* thread.loadBlock(memory + interfaceOffset(0) + measurement.samples, 100);
      expect(samples).toEqual(pattern(100));
      expect(yield* thread.read(file, memory, 1)).toBe(0);
      expect(yield* thread.read(file, memory, 0)).toBe(0);
    });
  });

  it("write MUST reach the registers, whole words only, and not past the end", () => {
    const world = buildWorld();
    runProgram(world, function* (thread) {
      const file = yield* open(thread);
      const memory = yield* mapMemory(thread, REGION_BYTES + 4);
      const control = interfaceOffset(0) + measurement.control;
      yield* thread.read(file, memory, control);
      expect(errno(yield* thread.write(file, memory, 2))).toBe("-EINVAL");
      expect(yield* thread.write(file, memory + REGION_BYTES, 4)).toBe(4);
      expect(world.card.bars[1]?.device.read(control, 4)).toBe(0);
      expect(errno(yield* thread.write(file, memory, REGION_BYTES - control))).toBe("-ENOSPC");
      yield* thread.read(file, memory, 1);
      expect(errno(yield* thread.write(file, memory, 4))).toBe("-EINVAL");
    });
  });

  it("MUST answer -EFAULT for a buffer that cannot be reached, and not move on", () => {
    const world = buildWorld();
    runProgram(world, function* (thread) {
      const file = yield* open(thread);
      const readOnly = yield* thread.mmap({ length: 4096, protection: VM_READ, sharing: "private" });
      expect(errno(yield* thread.read(file, 4096, 4))).toBe("-EFAULT");
      expect(errno(yield* thread.read(file, readOnly, 4))).toBe("-EFAULT");
      expect(errno(yield* thread.write(file, 4096, 4))).toBe("-EFAULT");
      const memory = yield* mapMemory(thread, 4096);
      yield* thread.read(file, memory, 4);
      expect(yield* thread.load(memory)).toBe(REGION_MAGIC);
    });
  });

  it.each(combinations)(
    "%s showing %s: a buffer that is the device's own mapping MUST NOT deadlock (AT-03)",
    (_name, backing, strategy) => {
      const world = buildWorld({ strategy, highway: { backing } });
      runProgram(world, function* (thread) {
        const file = yield* open(thread);
        const region = yield* mapRegion(thread, file);
        expect(yield* thread.read(file, region + 0x8000, 64)).toBe(64);
        expect(yield* thread.write(file, region, 64)).toBe(64);
      });
      expect(world.card.breaches).toEqual([]);
    },
  );

  it("MUST wait while DMA runs, and then read", () => {
    const world = buildWorld();
    world.card.feed(0, { bytes: pattern(4096), sampleRateHz: undefined });
    runProgram(world, function* (thread) {
      const file = yield* open(thread);
      const memory = yield* mapMemory(thread, 8192);
      const { sched } = thread.machine;
      yield* request(thread, file, memory, order(memory + 4096));
      expect(world.card.isDmaRunning).toBe(true);
      const before = sched.now;
      expect(yield* thread.read(file, memory, 4)).toBe(4);
      expect(sched.now).toBeGreaterThan(before);
      expect(world.card.isDmaRunning).toBe(false);
      expect(yield* thread.load(memory)).toBe(REGION_MAGIC);
    });
    expect(world.card.breaches).toEqual([]);
  });

  it("with O_NONBLOCK everything that needs the card MUST answer -EAGAIN while DMA runs (QU-10)", () => {
    const world = buildWorld();
    world.card.feed(0, { bytes: pattern(8192), sampleRateHz: undefined });
    runProgram(world, function* (thread) {
      const file = yield* open(thread, "nonblocking");
      const memory = yield* mapMemory(thread, 8192);
      expect(yield* request(thread, file, memory, order(memory + 4096), HIGHWAY_ACQUIRE)).toBe(0);
      expect(errno(yield* thread.read(file, memory, 4))).toBe("-EAGAIN");
      expect(errno(yield* thread.write(file, memory, 4))).toBe("-EAGAIN");
      expect(errno(yield* request(thread, file, memory, order(memory + 4096), HIGHWAY_START))).toBe(
        "-EAGAIN",
      );
      expect(errno(yield* thread.ioctl(file, HIGHWAY_REWIND, 0))).toBe("-EAGAIN");
      expect(yield* thread.ioctl(file, HIGHWAY_STATISTICS, memory)).toBe(0);
      yield* thread.nanosleep(1_000_000);
      expect(yield* thread.read(file, memory, 4)).toBe(4);
    });
    expect(world.card.breaches).toEqual([]);
  });

  it("a signal MUST end the wait with EINTR", () => {
    const world = buildWorld();
    world.card.feed(0, { bytes: pattern(65536), sampleRateHz: undefined });
    const seen: unknown[] = [];
    runProgram(world, function* (thread) {
      const file = yield* open(thread);
      const memory = yield* mapMemory(thread, 65536 + 4096);
      thread.sigaction("SIGUSR1", () => seen.push("handled"));
      yield* request(thread, file, memory, order(memory + 4096, 65536));
      thread.process.kill("SIGUSR1");
      seen.push(errno(yield* thread.read(file, memory, 4)));
    });
    expect(seen).toEqual(["handled", "-EINTR"]);
  });
});

describe("ioctl", () => {
  it("MUST rewind an interface, keep it switched on, and show that in a mirror at once", () => {
    const world = buildWorld({ strategy: pageLookup });
    world.card.feed(1, { bytes: pattern(100), sampleRateHz: undefined });
    runProgram(world, function* (thread) {
      const file = yield* open(thread);
      const region = yield* mapRegion(thread, file);
      const memory = yield* mapMemory(thread, 4096);
      const part = region + interfaceOffset(1);
      const acquire = { buffer: memory + 100, bytes: 40, interface: 1 };
      expect(yield* request(thread, file, memory, acquire, HIGHWAY_ACQUIRE)).toBe(40);
      expect(yield* thread.load(part + measurement.position)).toBe(40);
      expect(yield* thread.ioctl(file, HIGHWAY_REWIND, 1)).toBe(0);
      expect(yield* thread.load(part + measurement.position)).toBe(0);
      expect(yield* thread.load(part + measurement.control)).toBe(CONTROL_ENABLE);
      expect(errno(yield* thread.ioctl(file, HIGHWAY_REWIND, 4))).toBe("-EINVAL");
    });
  });

  it("MUST count what it does, in a structure of five 64-bit numbers", () => {
    const world = buildWorld();
    world.card.feed(0, { bytes: pattern(10_000), sampleRateHz: undefined });
    runProgram(world, function* (thread) {
      const file = yield* open(thread);
      const memory = yield* mapMemory(thread, 16_384);
      const acquire = order(memory + 100, 9000);
      expect(yield* request(thread, file, memory, acquire, HIGHWAY_ACQUIRE)).toBe(9000);
      expect(yield* thread.ioctl(file, HIGHWAY_STATISTICS, memory)).toBe(0);
      const counted = decodeStatistics((yield* thread.loadBlock(memory, 40)) as Uint8Array);
      // 3996 bytes to the end of the first page, 4096, and the rest.
      expect(counted).toEqual({ transfers: 1, bytes: 9000, chunks: 3, interrupts: 3, aborted: 0 });
      expect(world.driver.statistics).toEqual(counted);
      expect(errno(yield* thread.ioctl(file, HIGHWAY_STATISTICS, 4096))).toBe("-EFAULT");
    });
  });

  it("MUST answer -ENOTTY for a command that it does not know", () => {
    const world = buildWorld();
    runProgram(world, function* (thread) {
      expect(errno(yield* thread.ioctl(yield* open(thread), 0x4801))).toBe("-ENOTTY");
    });
  });
});
