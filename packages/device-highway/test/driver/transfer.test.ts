import { definePinningPolicy, EAGAIN, VM_READ } from "@nopage/core";
import { refcount } from "@nopage/pinning";
import { describe, expect, it } from "vitest";
import {
  HIGHWAY_ACQUIRE,
  HIGHWAY_REWIND,
  HIGHWAY_WAIT,
  INTERRUPT_DMA,
  interfaceOffset,
  MOST_BYTES,
  measurement,
} from "../../src/index.ts";
import { pattern } from "../support/cards.ts";
import { errno, mapMemory, mapRegion, open, request, runProgram } from "../support/programs.ts";
import { buildWorld, holdings } from "../support/worlds.ts";

describe("a transfer", () => {
  it.each(["x86-64", "i386", "alpha", "arm64-64k"] as const)(
    "MUST put the samples into the buffer and nowhere else, whatever its alignment (%s)",
    (geometry) => {
      const world = buildWorld({ machine: { geometry, ramPages: 256 } });
      const samples = pattern(20_000);
      world.card.feed(2, { bytes: samples, sampleRateHz: undefined });
      runProgram(world, function* (thread) {
        const file = yield* open(thread);
        const length = 32_768;
        const memory = yield* mapMemory(thread, length);
        const background = new Uint8Array(length).fill(0xee);
        for (const [start, bytes] of [
          [101, 1],
          [4095, 2],
          [333, 8192],
          [4096, 4096],
          [77, 19_999],
        ] as const) {
          yield* thread.ioctl(file, HIGHWAY_REWIND, 2);
          yield* thread.storeBlock(memory, background);
          const order = { buffer: memory + start, bytes, interface: 2 };
          expect(yield* request(thread, file, memory + 32_000, order, HIGHWAY_ACQUIRE)).toBe(bytes);
          const seen = (yield* thread.loadBlock(memory, 32_000)) as Uint8Array;
          const expected = background.slice(0, 32_000);
          expected.set(samples.subarray(0, bytes), start);
          expect(Buffer.compare(seen, expected)).toBe(0);
        }
      });
      expect(world.card.breaches).toEqual([]);
      expect(holdings(world.machine)).toMatchObject({ violations: [], openFiles: 0 });
    },
  );

  it("MUST go on where the last one ended, answer fewer bytes at the end, and 0 after it", () => {
    const world = buildWorld();
    world.card.feed(0, { bytes: pattern(5000), sampleRateHz: undefined });
    runProgram(world, function* (thread) {
      const file = yield* open(thread);
      const memory = yield* mapMemory(thread, 8192);
      const order = { buffer: memory + 1000, bytes: 3000, interface: 0 };
      const got: number[] = [];
      for (let round = 0; round < 3; round++) {
        got.push(yield* request(thread, file, memory, order, HIGHWAY_ACQUIRE));
      }
      expect(got).toEqual([3000, 2000, 0]);
      const end = yield* thread.loadBlock(memory + 1000, 2000);
      expect(end).toEqual(pattern(5000).subarray(3000));
    });
  });

  it.each(["level", "message"] as const)("MUST take one %s interrupt for each chunk", (interrupts) => {
    const world = buildWorld({ highway: { interrupts } });
    world.card.feed(0, { bytes: pattern(12_288), sampleRateHz: undefined });
    runProgram(world, function* (thread) {
      const file = yield* open(thread);
      const memory = yield* mapMemory(thread, 16_384);
      const order = { buffer: memory + 4096, bytes: 12_288, interface: 0 };
      yield* request(thread, file, memory, order, HIGHWAY_ACQUIRE);
    });
    expect(world.driver.statistics).toMatchObject({ chunks: 3, interrupts: 3 });
    const raised = [...world.machine.log.events()].filter(({ name }) => name === "interrupt-raise");
    expect(raised).toHaveLength(3);
    expect(INTERRUPT_DMA).toBe(0x100);
  });

  it("MUST be refused with its errno when the request makes no sense", () => {
    const world = buildWorld();
    runProgram(world, function* (thread) {
      const file = yield* open(thread);
      const memory = yield* mapMemory(thread, 8192);
      const readOnly = yield* thread.mmap({ length: 4096, protection: VM_READ, sharing: "private" });
      const region = yield* mapRegion(thread, file);
      const good = { buffer: memory + 4096, bytes: 100, interface: 0 };
      const answers: unknown[] = [];
      for (const order of [
        { ...good, interface: 4 },
        { ...good, bytes: 0 },
        { ...good, bytes: MOST_BYTES + 1 },
        { ...good, buffer: thread.machine.geometry.userEnd - 4 },
        { ...good, buffer: 4096 },
        { ...good, buffer: readOnly },
        { ...good, buffer: region },
        { ...good, bytes: 4097 },
      ]) {
        answers.push(errno(yield* request(thread, file, memory, order)));
      }
      expect(answers).toEqual([
        "-EINVAL",
        "-EINVAL",
        "-EINVAL",
        "-EFAULT",
        "-EFAULT",
        "-EFAULT",
        "-EFAULT",
        "-EFAULT",
      ]);
      expect(errno(yield* thread.ioctl(file, HIGHWAY_ACQUIRE, 16))).toBe("-EFAULT");
      expect(errno(yield* thread.ioctl(file, HIGHWAY_WAIT))).toBe("-EINVAL");
      // The card was given back each time.
      expect(yield* request(thread, file, memory, good, HIGHWAY_ACQUIRE)).toBe(0);
    });
    expect(holdings(world.machine).violations).toEqual([]);
  });

  it("MUST be refused with -EIO when the card cannot reach the buffer, with nothing pinned", () => {
    const world = buildWorld({ highway: { dmaBits: 12 } });
    const before = holdings(world.machine);
    runProgram(world, function* (thread) {
      const file = yield* open(thread);
      const memory = yield* mapMemory(thread, 8192);
      const order = { buffer: memory, bytes: 10, interface: 0 };
      expect(errno(yield* request(thread, file, memory, order))).toBe("-EIO");
    });
    expect(holdings(world.machine)).toEqual(before);
  });

  it("MUST hand on what the pinning policy answers, and give the card back", () => {
    const pinning = definePinningPolicy({
      name: "unwilling",
      supports: refcount.supports,
      create: () => ({ pin: () => -EAGAIN, unpin: () => undefined }),
    });
    const world = buildWorld({ pinning });
    runProgram(world, function* (thread) {
      const file = yield* open(thread);
      const memory = yield* mapMemory(thread, 8192);
      const order = { buffer: memory, bytes: 10, interface: 0 };
      expect(errno(yield* request(thread, file, memory, order))).toBe("-EAGAIN");
      expect(yield* thread.read(file, memory, 4)).toBe(4);
    });
  });

  it("a second one MUST wait for the first, and each waiter get its own result", () => {
    const world = buildWorld();
    world.card.feed(0, { bytes: pattern(8192), sampleRateHz: undefined });
    world.card.feed(1, { bytes: pattern(500), sampleRateHz: undefined });
    const results: (readonly [string, number])[] = [];
    runProgram(world, function* (thread) {
      const file = yield* open(thread);
      const memory = yield* mapMemory(thread, 65_536);
      const acquirer = (name: string, index: number, at: number) =>
        thread.spawn(function* (own) {
          const order = { buffer: at + 4096, bytes: 8192, interface: index };
          results.push([name, yield* request(own, file, at, order, HIGHWAY_ACQUIRE)]);
        }, name);
      acquirer("first", 0, memory);
      acquirer("second", 1, memory + 32_768);
    });
    expect(results).toEqual([
      ["first", 8192],
      ["second", 500],
    ]);
  });

  it("a nonblocking file MUST be told by WAIT whether it is over", () => {
    const world = buildWorld();
    world.card.feed(0, { bytes: pattern(100), sampleRateHz: undefined });
    runProgram(world, function* (thread) {
      const file = yield* open(thread, "nonblocking");
      const memory = yield* mapMemory(thread, 4096);
      const order = { buffer: memory + 100, bytes: 100, interface: 0 };
      expect(yield* request(thread, file, memory, order, HIGHWAY_ACQUIRE)).toBe(0);
      expect(errno(yield* thread.ioctl(file, HIGHWAY_WAIT))).toBe("-EAGAIN");
      yield* thread.nanosleep(100_000);
      expect(yield* thread.ioctl(file, HIGHWAY_WAIT)).toBe(100);
      expect(yield* thread.ioctl(file, HIGHWAY_WAIT)).toBe(100);
    });
  });

  it("a signal MUST end the wait with EINTR and leave the transfer to be collected by WAIT", () => {
    const world = buildWorld();
    world.card.feed(0, { bytes: pattern(8192), sampleRateHz: undefined });
    runProgram(world, function* (thread) {
      const file = yield* open(thread);
      const memory = yield* mapMemory(thread, 16_384);
      thread.sigaction("SIGUSR1", () => undefined);
      thread.spawn(function* (sibling) {
        yield* sibling.nanosleep(5000);
        thread.receive("SIGUSR1");
      });
      const order = { buffer: memory + 4096, bytes: 8192, interface: 0 };
      expect(errno(yield* request(thread, file, memory, order, HIGHWAY_ACQUIRE))).toBe("-EINTR");
      expect(yield* thread.ioctl(file, HIGHWAY_WAIT)).toBe(8192);
      expect(yield* thread.loadBlock(memory + 4096, 8192)).toEqual(pattern(8192));
    });
  });

  it("an interface that is switched off MUST deliver 0 bytes", () => {
    const world = buildWorld();
    world.card.feed(0, { bytes: pattern(100), sampleRateHz: undefined });
    runProgram(world, function* (thread) {
      const file = yield* open(thread);
      const region = yield* mapRegion(thread, file);
      const memory = yield* mapMemory(thread, 4096);
      yield* thread.store(region + interfaceOffset(0) + measurement.control, 0);
      const order = { buffer: memory + 100, bytes: 50, interface: 0 };
      expect(yield* request(thread, file, memory, order, HIGHWAY_ACQUIRE)).toBe(0);
    });
  });
});
