import { expect, it } from "vitest";
import { kernelThread, missedOutcomes } from "../../support/missed-outcomes.ts";

it("a waking MUST be tried before and after the one who queued up falls asleep", () => {
  const { missed, reached, isComplete } = missedOutcomes((machine, kernel, outcome) => {
    const stage = kernel.sync.shared("stage", 0);
    const changed = kernel.sync.waitQueue("changed");
    const seen: number[] = [];
    outcome["seen by the one who waits"] = seen;
    kernelThread(machine, "waits", function* () {
      yield* changed.waitUntil(function* () {
        const now = yield* stage.get();
        seen.push(now);
        return now === 2;
      }, "uninterruptible");
    });
    kernelThread(machine, "wakes", function* () {
      yield* stage.set(1);
      yield* changed.wakeAll();
      yield* stage.set(2);
      yield* changed.wakeAll();
    });
  });
  expect(missed).toEqual([]);
  expect({ reached: reached.length, isComplete }).toEqual({ reached: 5, isComplete: true });
});
