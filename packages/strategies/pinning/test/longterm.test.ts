import { EFAULT, ENOMEM } from "@nopage/core";
import { describe, expect, it } from "vitest";
import { longterm, quarantine } from "../src/index.ts";
import { answerOf, memoryOf, PAGE, pin, pinWorld } from "./support/pin-world.ts";

describe.each([longterm, quarantine])("$name", (policy) => {
  it("MUST charge the process while the pages are held, and refuse what is above its limit (RC-08, B54)", () => {
    const world = pinWorld({ lockLimitPages: 3 });
    const hooks = world.create(policy);
    world.run(function* (thread) {
      const memory = yield* memoryOf(thread, 4);
      const first = yield* pin(hooks, thread, memory, 2);
      expect(thread.mm.pinnedPages).toBe(2);
      expect(yield* answerOf(hooks.pin(thread.mm, memory, 2, "device-writes"))).toBe(-ENOMEM);
      expect(thread.mm.pinnedPages).toBe(2);
      yield* answerOf(hooks.unpin(first, "clean"));
      expect(thread.mm.pinnedPages).toBe(0);
      const second = yield* pin(hooks, thread, memory, 3);
      yield* answerOf(hooks.unpin(second, "dirty"));
    });
    expect(world.kinds).toEqual([]);
    expect(world.anonymousPages).toBe(0);
  });

  it("MUST give back exactly what it took when a later page fails, the charge too (GP-08, B46)", () => {
    const world = pinWorld();
    const hooks = world.create(policy);
    world.run(function* (thread) {
      const memory = yield* memoryOf(thread, 2);
      yield* thread.munmap(memory + PAGE, PAGE);
      expect(yield* answerOf(hooks.pin(thread.mm, memory, 2, "device-writes"))).toBe(-EFAULT);
      expect(thread.mm.pinnedPages).toBe(0);
      expect([...world.machine.memory.frames.pincount].every((pins) => pins === 0)).toBe(true);
    });
    expect(world.anonymousPages).toBe(0);
  });

  it("MUST give the child of a fork a copy, and keep the parent on the page that the device has (GP-04)", () => {
    const world = pinWorld();
    const hooks = world.create(policy);
    world.run(function* (thread) {
      const memory = yield* memoryOf(thread, 1);
      yield* thread.store(memory, 1);
      const pinned = yield* pin(hooks, thread, memory, 1);
      world.dma.map(pinned);
      const child = yield* thread.fork(function* (own) {
        yield* own.nanosleep(100);
        expect(yield* own.load(memory)).toBe(1);
      });
      if (typeof child === "number") throw new Error("no fork");
      yield* thread.store(memory + 4, 2);
      yield* world.dma.write((pinned.pages[0] * PAGE) as never, new Uint8Array([7]));
      expect(yield* thread.load(memory)).toBe(7);
      yield* child.waitForEnd();
      world.dma.unmap(pinned);
      yield* answerOf(hooks.unpin(pinned, "dirty"));
    });
    expect(world.kinds).toEqual([]);
    expect(world.anonymousPages).toBe(0);
  });
});
