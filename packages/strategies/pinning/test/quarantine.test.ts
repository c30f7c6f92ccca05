import type { Pinned, PinningPolicy } from "@nopage/core";
import { ContractViolation } from "@nopage/core";
import { describe, expect, it } from "vitest";
import { ghostMm, longterm, quarantine, refcount, reserved } from "../src/index.ts";
import { answerOf, memoryOf, PAGE, pin, pinWorld } from "./support/pin-world.ts";

/** A process pins two pages and dies; the driver unpins, and the device writes once more all the same. */
function lateWrite(policy: PinningPolicy) {
  const world = pinWorld();
  const hooks = world.create(policy);
  let pinned: Pinned | undefined;
  world.run(function* (thread) {
    pinned = yield* pin(hooks, thread, yield* memoryOf(thread, 2), 2);
  });
  const token = pinned as Pinned;
  world.run(function* () {
    yield* answerOf(hooks.unpin(token, "dirty"));
    yield* world.dma.write((token.pages[1] * PAGE) as never, new Uint8Array(8));
  });
  return { world, hooks, token };
}

describe("quarantine", () => {
  it("MUST hold the pages of a dead process against a device that writes after its end, and count them", () => {
    const { world, hooks } = lateWrite(quarantine);
    expect(world.kinds).toEqual([]);
    expect(hooks.quarantined?.()).toEqual({ tokens: 1, pages: 2 });
    expect(world.anonymousPages).toBe(2);
    world.run(() => answerOf(hooks.releaseQuarantine?.()));
    expect(hooks.quarantined?.()).toEqual({ tokens: 0, pages: 0 });
    expect(world.anonymousPages).toBe(0);
    expect(world.kinds).toEqual([]);
  });

  it.each([refcount, longterm, ghostMm])(
    "is alone in that: with $name the late write is reported",
    (policy) => {
      expect(lateWrite(policy).world.kinds).toEqual(["use-after-free"]);
    },
  );

  it("MUST give the pages of a living process back at once", () => {
    const world = pinWorld();
    const hooks = world.create(quarantine);
    world.run(function* (thread) {
      const pinned = yield* pin(hooks, thread, yield* memoryOf(thread, 1), 1);
      yield* answerOf(hooks.unpin(pinned, "clean"));
      expect(hooks.quarantined?.()).toEqual({ tokens: 0, pages: 0 });
    });
  });
});

describe.each([refcount, longterm, ghostMm, reserved, quarantine])("$name", (policy) => {
  it("MUST refuse a token that was given back already (GP-01)", () => {
    const world = pinWorld();
    const hooks = world.create(policy);
    world.run(function* (thread) {
      const pinned = yield* pin(hooks, thread, yield* memoryOf(thread, 1), 1);
      yield* answerOf(hooks.unpin(pinned, "clean"));
      let thrown: unknown;
      try {
        yield* answerOf(hooks.unpin(pinned, "clean"));
      } catch (failure) {
        thrown = failure;
      }
      expect(thrown).toBeInstanceOf(ContractViolation);
    });
    expect(world.anonymousPages).toBe(0);
  });
});
