import { expect, it } from "vitest";
import { kernelThread, missedOutcomes } from "../support/missed-outcomes.ts";

it("each trace MUST be run once where a step gives a lock back or sleeps, by what it finds", () => {
  const { executions, traces, missed, isComplete } = missedOutcomes((machine, kernel) => {
    const mm = machine.createMm("followed");
    kernelThread(machine, "invalidation", function* () {
      const range = yield* mm.notifiers.begin(0x10000, 0x20000, "clear");
      yield* mm.notifiers.end(range);
    });
    kernelThread(machine, "follower", function* () {
      yield* kernel.mappings.registerNotifier(mm, { name: "follower" });
    });
    kernelThread(machine, "reader", function* () {
      yield* kernel.mappings.tryReading(mm, function* () {
        return 1;
      });
    });
  });
  expect({ missed, isComplete }).toEqual({ missed: [], isComplete: true });
  expect(traces).toBe(executions);
});
