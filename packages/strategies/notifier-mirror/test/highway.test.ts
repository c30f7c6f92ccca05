import {
  errnoName,
  isTrap,
  randomChooser,
  type Sleepable,
  type UserThread,
  VM_READ,
  VM_WRITE,
} from "@nopage/core";
import { HIGHWAY_START, HIGHWAY_WAIT, REGION_BYTES } from "@nopage/device-highway";
import { pageLookup } from "@nopage/page-lookup";
import { describe, expect, it } from "vitest";
import { seedsBelow } from "../../../../tools/exploration.ts";
import { noneInterval, noneNotifier } from "../src/index.ts";
import { acquire, HighwayWorld, mapMemory, open, samples } from "./support/highway.ts";

const BYTES = 6000;
const SEEDS = 60;
const seeds = seedsBelow(SEEDS);

function* expectSamples(thread: UserThread, buffer: number, bytes: number): Sleepable<void> {
  const seen = yield* thread.loadBlock(buffer, bytes);
  if (isTrap(seen)) throw new Error(`the buffer ends in ${seen.signal}`);
  expect(Buffer.from(seen).equals(Buffer.from(samples.subarray(0, bytes)))).toBe(true);
}

describe.each([noneNotifier, noneInterval])("the Highway card on $name", (policy) => {
  it("a transfer MUST arrive, across pages and into memory that nobody touched before", () => {
    for (const seed of seeds) {
      const world = new HighwayWorld(policy, { chooser: randomChooser(seed) });
      world.machine.spawn("user", function* (thread) {
        const file = yield* open(thread);
        const memory = yield* mapMemory(thread, 16_384);
        expect(yield* acquire(thread, file, memory + 4200, BYTES)).toBe(BYTES);
        yield* expectSamples(thread, memory + 4200, BYTES);
      });
      world.finish({ seed });
    }
  });

  it("GP-04 a fork in the middle MUST NOT part the device from the process that acquires", () => {
    for (const seed of seeds) {
      const world = new HighwayWorld(policy, { chooser: randomChooser(seed) });
      world.machine.spawn("user", function* (thread) {
        const file = yield* open(thread);
        const memory = yield* mapMemory(thread, 16_384);
        yield* acquire(thread, file, memory, BYTES, HIGHWAY_START);
        yield* thread.nanosleep(seed * 500);
        yield* thread.fork(function* (child) {
          const before = yield* child.loadBlock(memory, BYTES);
          yield* child.nanosleep(100_000);
          expect(yield* child.loadBlock(memory, BYTES)).toEqual(before);
        });
        // Stores next to the buffer break the sharing while the card writes.
        yield* thread.store(memory + BYTES + 8, 1);
        expect(yield* thread.ioctl(file, HIGHWAY_WAIT)).toBe(BYTES);
        yield* expectSamples(thread, memory, BYTES);
      });
      world.finish({ seed });
    }
  });

  it("a buffer that is unmapped in the middle MUST end the transfer, and its new owner's memory stays", () => {
    const results = new Set<string>();
    for (const seed of seeds) {
      const world = new HighwayWorld(policy, { chooser: randomChooser(seed) });
      world.machine.spawn("user", function* (thread) {
        const file = yield* open(thread);
        const memory = yield* mapMemory(thread, 16_384);
        yield* acquire(thread, file, memory, BYTES, HIGHWAY_START);
        yield* thread.nanosleep(seed * 500);
        yield* thread.munmap(memory, 16_384);
        const other = yield* mapMemory(thread, 32_768);
        for (let at = 0; at < 32_768; at += 4096) yield* thread.store(other + at, 0x600d);
        const result = yield* thread.ioctl(file, HIGHWAY_WAIT);
        results.add(result < 0 ? errnoName(result) : result === BYTES ? "all" : "part");
      });
      world.finish({ seed });
    }
    expect([...results].sort()).toEqual(["EFAULT", "all", "part"]);
  });

  it("MN-12 a process that is killed at any moment MUST lose no page to the card, and leave nothing behind", () => {
    for (const seed of seedsBelow(3 * SEEDS)) {
      const world = new HighwayWorld(policy, { chooser: randomChooser(seed), cpus: 3 });
      const victim = world.machine.spawn("victim", function* (thread) {
        const file = yield* open(thread);
        const memory = yield* mapMemory(thread, 16_384);
        thread.spawn(function* (sibling) {
          for (;;) {
            yield* sibling.madvise(memory, 8192, "dontneed");
            yield* sibling.nanosleep(700);
          }
        });
        for (;;) yield* acquire(thread, file, memory + 100, BYTES);
      });
      world.machine.spawn("killer", function* (thread) {
        yield* thread.nanosleep(seed * 300);
        victim.kill("SIGKILL");
      });
      world.machine.spawn("bystander", function* (thread) {
        for (let round = 0; round < 8; round++) {
          const memory = yield* mapMemory(thread, 8192);
          yield* thread.store(memory + 128, round);
          yield* thread.nanosleep(2000);
          expect(yield* thread.load(memory + 128)).toBe(round);
          yield* thread.munmap(memory, 8192);
        }
      });
      world.finish({ seed });
    }
  });

  it("the device's own mapping as the buffer MUST be refused or acquired, and never waited for", () => {
    const world = new HighwayWorld(policy, {}, pageLookup);
    world.machine.spawn("user", function* (thread) {
      const file = yield* open(thread);
      const protection = VM_READ | VM_WRITE;
      const mapping = { length: REGION_BYTES, protection, sharing: "shared", descriptor: file } as const;
      const region = yield* thread.mmap(mapping);
      const result = yield* acquire(thread, file, region, BYTES);
      expect(errnoName(result)).toBe("EFAULT");
    });
    world.finish();
  });
});
