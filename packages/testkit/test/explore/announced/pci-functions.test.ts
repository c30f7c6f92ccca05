import type { Machine, PciFunction, PciFunctionShape } from "@nopage/core";
import { expect, it } from "vitest";
import { kernelThread, missedOutcomes, type Setting } from "../../support/missed-outcomes.ts";

const shape: PciFunctionShape = {
  name: "card",
  vendorId: 1,
  deviceId: 1,
  bars: [],
  interrupts: "message",
  dmaBits: 32,
};

function plug(machine: Machine): PciFunction {
  const plugged = machine.pci.plug(shape);
  if (typeof plugged === "number") throw new Error(`plug answered ${plugged}`);
  return plugged;
}

const races: Readonly<Record<string, Setting>> = {
  "two unplugs of one function": (machine, _kernel, outcome) => {
    const card = plug(machine);
    for (const name of ["one", "other"]) {
      kernelThread(machine, name, function* () {
        outcome[name] = yield* machine.pci.unplug(card);
      });
    }
  },
  "a plug and a look at the list of functions": (machine, _kernel, outcome) => {
    kernelThread(machine, "slot", function* () {
      plug(machine);
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
    const card = plug(machine);
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
