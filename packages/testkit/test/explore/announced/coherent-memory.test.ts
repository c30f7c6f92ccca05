import { expect, it } from "vitest";
import { kernelThread, missedOutcomes } from "../../support/missed-outcomes.ts";

it("a look for a buffer of coherent memory and its freeing MUST be tried in both orders", () => {
  const { missed, reached, isComplete } = missedOutcomes((machine, _kernel, outcome) => {
    const { coherent } = machine.memory;
    const buffer = coherent.dmaAllocCoherent(4096);
    if (buffer === undefined) throw new Error("the test's machine is out of memory");
    kernelThread(machine, "freeing", function* () {
      coherent.dmaFreeCoherent(buffer);
    });
    kernelThread(machine, "looking", function* () {
      outcome["is there"] = coherent.find(buffer.cpuAddress) === buffer;
    });
  });
  expect(missed).toEqual([]);
  expect({ reached: reached.length, isComplete }).toEqual({ reached: 2, isComplete: true });
});

it("two freeings of one buffer of coherent memory MUST be tried in both orders", () => {
  const { missed, reached, isComplete } = missedOutcomes((machine) => {
    const { coherent } = machine.memory;
    const buffer = coherent.dmaAllocCoherent(4096);
    if (buffer === undefined) throw new Error("the test's machine is out of memory");
    for (const name of ["one", "other"]) {
      kernelThread(machine, name, function* () {
        coherent.dmaFreeCoherent(buffer);
      });
    }
  });
  expect(missed).toEqual([]);
  expect({ reached: reached.length, isComplete }).toEqual({ reached: 2, isComplete: true });
});
