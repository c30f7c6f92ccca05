import type { Pinned } from "@nopage/core";
import { describe, expect, it } from "vitest";
import { refcount, reserved } from "../src/index.ts";
import { answerOf, memoryOf, PAGE, pin, pinWorld } from "./support/pin-world.ts";

describe.each(["2.4", "2.6.11"] as const)("reserved, rules of %s", (reservedPages) => {
  it("MUST keep the pages through munmap and exit, and free them at unpin (RS-03)", () => {
    const world = pinWorld({ reservedPages });
    const hooks = world.create(reserved);
    let pinned: Pinned | undefined;
    world.run(function* (thread) {
      const memory = yield* memoryOf(thread, 3);
      pinned = yield* pin(hooks, thread, memory, 3);
      yield* thread.munmap(memory, PAGE);
    });
    expect(world.anonymousPages).toBe(3);
    world.run(() => answerOf(hooks.unpin(pinned as Pinned, "dirty")));
    expect(world.anonymousPages).toBe(0);
    expect(world.kinds).toEqual([]);
  });

  it("MUST free a page that two transfers had only after the second", () => {
    const world = pinWorld({ reservedPages });
    const hooks = world.create(reserved);
    world.run(function* (thread) {
      const memory = yield* memoryOf(thread, 1);
      const one = yield* pin(hooks, thread, memory, 1);
      const other = yield* pin(hooks, thread, memory, 1);
      yield* thread.munmap(memory, PAGE);
      yield* answerOf(hooks.unpin(one, "clean"));
      expect(world.anonymousPages).toBe(1);
      yield* answerOf(hooks.unpin(other, "clean"));
      expect(world.anonymousPages).toBe(0);
    });
    expect(world.kinds).toEqual([]);
  });

  it("MUST drop what the parent's entry held, once, after a fork whose child is gone", () => {
    const world = pinWorld({ reservedPages });
    const hooks = world.create(reserved);
    world.run(function* (thread) {
      const memory = yield* memoryOf(thread, 1);
      const pinned = yield* pin(hooks, thread, memory, 1);
      const child = yield* thread.fork(function* (own) {
        yield* own.load(memory);
      });
      if (typeof child === "number") throw new Error("no fork");
      yield* child.waitForEnd();
      yield* thread.munmap(memory, PAGE);
      yield* answerOf(hooks.unpin(pinned, "clean"));
    });
    expect(world.anonymousPages).toBe(0);
    expect(world.kinds).toEqual([]);
  });

  it("getUserPages takes no reference on a reserved page: another driver's transfer loses it (RS-04)", () => {
    const world = pinWorld({ reservedPages });
    const first = world.create(reserved);
    const second = world.create(refcount);
    world.run(function* (thread) {
      const memory = yield* memoryOf(thread, 1);
      const one = yield* pin(first, thread, memory, 1);
      const other = yield* pin(second, thread, memory, 1);
      expect(world.machine.memory.frames.refcount[other.pages[0]]).toBe(1);
      world.dma.map(other);
      yield* thread.munmap(memory, PAGE);
      yield* answerOf(first.unpin(one, "clean"));
      expect(world.kinds).toEqual([]);
      yield* world.dma.write((other.pages[0] * PAGE) as never, new Uint8Array(4));
    });
    expect(world.kinds).toEqual(["use-after-free"]);
  });
});

describe("reserved, rules of 6.1", () => {
  it("MUST report the page that munmap drops while the device has it, and lose it (RS-01)", () => {
    const world = pinWorld();
    const hooks = world.create(reserved);
    world.run(function* (thread) {
      const memory = yield* memoryOf(thread, 1);
      const pinned = yield* pin(hooks, thread, memory, 1);
      yield* thread.munmap(memory, PAGE);
      yield* answerOf(hooks.unpin(pinned, "clean"));
    });
    expect(world.kinds).toEqual(["page-kind"]);
    expect(world.anonymousPages).toBe(1);
  });

  it("takes a reference for another driver, whose transfer is safe", () => {
    const world = pinWorld();
    const first = world.create(reserved);
    const second = world.create(refcount);
    world.run(function* (thread) {
      const memory = yield* memoryOf(thread, 1);
      const one = yield* pin(first, thread, memory, 1);
      const other = yield* pin(second, thread, memory, 1);
      yield* thread.munmap(memory, PAGE);
      yield* answerOf(first.unpin(one, "clean"));
      yield* world.dma.write((other.pages[0] * PAGE) as never, new Uint8Array(4));
      yield* answerOf(second.unpin(other, "dirty"));
    });
    expect(world.kinds).toEqual([]);
    expect(world.anonymousPages).toBe(0);
  });
});
