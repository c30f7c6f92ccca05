import type { KernelAddress, Machine } from "@nopage/core";
import { describe, expect, it } from "vitest";
import { kernelThread, missedOutcomes, type Outcome } from "../../support/missed-outcomes.ts";

/** What a kernel thread does with an object, or with an address that no object is at any more. */
type Act = (machine: Machine, object: KernelAddress, outcome: Outcome) => void;

const free: Act = ({ memory }, object) => memory.kmalloc.kfree(object);

const ask: Act = ({ memory }, object, outcome) => {
  try {
    outcome.size = memory.kmalloc.ksize(object);
  } catch {
    outcome.size = "none";
  }
};

describe.each([
  ["of a slab", 64],
  ["with pages of its own", 4 * 4096],
])("the freeing of an object %s MUST be tried before and after", (_where, bytes) => {
  it.each<[string, Act]>([
    ["another freeing of it, which one of the two is reported for", free],
    ["a look at its size", ask],
  ])("%s", (_what, act) => {
    const { missed, reached, isComplete } = missedOutcomes((machine, _kernel, outcome) => {
      const object = machine.memory.kmalloc.kmalloc(bytes);
      if (object === undefined) throw new Error("the test's machine is out of memory");
      for (const [name, body] of [
        ["freeing", free],
        ["other", act],
      ] as const) {
        kernelThread(machine, name, function* () {
          body(machine, object, outcome);
        });
      }
    });
    expect(missed).toEqual([]);
    expect({ reached: reached.length, isComplete }).toEqual({ reached: 2, isComplete: true });
  });
});

it("a load of an object that is free and kzalloc, which gives it out again, MUST be tried in both orders", () => {
  const { missed, reached, isComplete } = missedOutcomes((machine, _kernel, outcome) => {
    const { kmalloc, kernel } = machine.memory;
    const object = kmalloc.kmalloc(64) as KernelAddress;
    // The other object keeps the slab.
    kmalloc.kmalloc(64);
    kernel.store32(object, 5);
    kmalloc.kfree(object);
    kernelThread(machine, "taking", function* () {
      kmalloc.kzalloc(64);
    });
    kernelThread(machine, "loading", function* () {
      outcome.loaded = kernel.load32(object);
    });
  });
  expect(missed).toEqual([]);
  expect({ reached: reached.length, isComplete }).toEqual({ reached: 2, isComplete: true });
});
