import { expect, it } from "vitest";
import { kernelThread, missedOutcomes, type Setting } from "../../support/missed-outcomes.ts";
import { plugCard } from "../../support/plug-card.ts";

const races: Readonly<Record<string, Setting>> = {
  "two unplugs of one function": (machine, _kernel, outcome) => {
    const card = plugCard(machine);
    for (const name of ["one", "other"]) {
      kernelThread(machine, name, function* () {
        outcome[name] = yield* machine.pci.unplug(card);
      });
    }
  },
  "a plug and a look at the list of functions": (machine, _kernel, outcome) => {
    kernelThread(machine, "slot", function* () {
      plugCard(machine);
    });
    kernelThread(machine, "reader", function* () {
      outcome["functions"] = machine.pci.functions().length;
    });
  },
};

it.each(Object.entries(races))("%s MUST be tried in both orders", (_name, setting) => {
  const { missed, reached, isComplete } = missedOutcomes(setting, { random: 200 });
  expect(missed).toEqual([]);
  expect({ reached: reached.length, isComplete }).toEqual({ reached: 2, isComplete: true });
});

it("an unplug that comes after a driver was bound MUST be told to it, in every order of the two", () => {
  const { missed, reached, isComplete } = missedOutcomes((machine, _kernel, outcome) => {
    const card = plugCard(machine);
    kernelThread(machine, "driver", function* () {
      outcome["bound"] = machine.pci.bindDriver(card, {
        name: "driver",
        *remove() {
          outcome["told"] = true;
        },
      });
    });
    kernelThread(machine, "slot", () => machine.pci.unplug(card));
  });
  expect(missed).toEqual([]);
  expect({ reached, isComplete }).toEqual({
    reached: ['{"bound":-19}', '{"bound":0,"told":true}'],
    isComplete: true,
  });
});
