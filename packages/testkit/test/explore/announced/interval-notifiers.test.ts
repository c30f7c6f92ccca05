import type { UserAddress } from "@nopage/core";
import { expect, it } from "vitest";
import { kernelThread, missedOutcomes } from "../../support/missed-outcomes.ts";

it("a reader that tries to begin and a callback that sets the sequence MUST be tried in all orders", () => {
  const { missed, reached, isComplete } = missedOutcomes((machine, kernel, outcome) => {
    const mm = machine.createMm("followed");
    const began = kernel.sync.shared("began", 0);
    kernelThread(machine, "boot", function* () {
      const interval = yield* kernel.mappings.insertInterval(
        mm,
        0x10000 as UserAddress,
        0x20000 as UserAddress,
        {
          name: "follower",
          *invalidate(_range, told, sequence) {
            yield* began.set(1);
            yield* told.setSequence(sequence);
            return true;
          },
        },
      );
      if (typeof interval === "number") throw new Error(`the interval is refused: ${interval}`);
      kernelThread(machine, "invalidation", function* () {
        yield* mm.notifiers.end(yield* mm.notifiers.begin(0x10000, 0x20000, "clear"));
      });
      kernelThread(machine, "reader", function* () {
        outcome["saw that it began"] = yield* began.get();
        outcome.sequence = (yield* interval.tryReadBegin()) ?? "collides";
      });
    });
  });
  expect(missed).toEqual([]);
  expect({ reached: reached.length, isComplete }).toEqual({ reached: 6, isComplete: true });
});
