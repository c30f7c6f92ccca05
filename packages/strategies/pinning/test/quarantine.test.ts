import type { Pinned, PinningPolicy } from "@nopage/core";
import { ContractViolation } from "@nopage/core";
import { describe, expect, it } from "vitest";
import { ghostMm, longterm, quarantine, refcount, reserved } from "../src/index.ts";
import { answerOf, memoryOf, PAGE, pin, pinBench } from "./support/pin-bench.ts";

/** A process pins two pages and dies; the driver unpins, and the device writes once more all the same. */
function lateWrite(policy: PinningPolicy) {
  const bench = pinBench();
  const hooks = bench.create(policy);
  let pinned: Pinned | undefined;
  bench.run(function* (thread) {
    pinned = yield* pin(hooks, thread, yield* memoryOf(thread, 2), 2);
  });
  const token = pinned as Pinned;
  bench.run(function* () {
    yield* answerOf(hooks.unpin(token, "dirty"));
    yield* bench.dma.write((token.pages[1] * PAGE) as never, new Uint8Array(8));
  });
  return { bench, hooks, token };
}

describe("quarantine", () => {
  it("MUST hold the pages of a dead process against a device that writes after its end, and count them", () => {
    const { bench, hooks } = lateWrite(quarantine);
    expect(bench.kinds).toEqual([]);
    expect(hooks.quarantined?.()).toEqual({ tokens: 1, pages: 2 });
    expect(bench.anonymousPages).toBe(2);
    bench.run(() => answerOf(hooks.releaseQuarantine?.()));
    expect(hooks.quarantined?.()).toEqual({ tokens: 0, pages: 0 });
    expect(bench.anonymousPages).toBe(0);
    expect(bench.kinds).toEqual([]);
  });

  it.each([refcount, longterm, ghostMm])(
    "is alone in that: with $name the late write is reported",
    (policy) => {
      expect(lateWrite(policy).bench.kinds).toEqual(["use-after-free"]);
    },
  );

  it("MUST give the pages of a living process back at once", () => {
    const bench = pinBench();
    const hooks = bench.create(quarantine);
    bench.run(function* (thread) {
      const pinned = yield* pin(hooks, thread, yield* memoryOf(thread, 1), 1);
      yield* answerOf(hooks.unpin(pinned, "clean"));
      expect(hooks.quarantined?.()).toEqual({ tokens: 0, pages: 0 });
    });
  });
});

describe.each([refcount, longterm, ghostMm, reserved, quarantine])("$name", (policy) => {
  it("MUST refuse a token that was given back already (GP-01)", () => {
    const bench = pinBench();
    const hooks = bench.create(policy);
    bench.run(function* (thread) {
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
    expect(bench.anonymousPages).toBe(0);
  });
});
