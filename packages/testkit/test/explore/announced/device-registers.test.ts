import {
  type Kernel,
  type Machine,
  type MappableArea,
  type PciFunction,
  type UserAddress,
  type UserThread,
  VM_READ,
} from "@nopage/core";
import { expect, it } from "vitest";
import { kernelThread, missedOutcomes } from "../../support/missed-outcomes.ts";

function plug(machine: Machine): PciFunction {
  const plugged = machine.pci.plug({
    name: "card",
    vendorId: 1,
    deviceId: 1,
    bars: [{ bytes: 4096, device: { read: () => 0, write: () => {} } }],
    interrupts: "message",
    dmaBits: 32,
  });
  if (typeof plugged === "number") throw new Error(`plug answered ${plugged}`);
  return plugged;
}

it("a read of a register by the kernel MUST be tried before and after the device goes", () => {
  const { missed, reached, isComplete } = missedOutcomes(
    (machine, { mmio }, outcome) => {
      const card = plug(machine);
      kernelThread(machine, "driver", function* () {
        outcome["read"] = yield* mmio.read(card.windows[0]!, 0, 4);
      });
      kernelThread(machine, "slot", () => machine.pci.unplug(card));
    },
    { random: 200 },
  );
  expect(missed).toEqual([]);
  expect({ reached, isComplete }).toEqual({
    reached: ['{"read":0}', '{"read":4294967295}'],
    isComplete: true,
  });
});

/** A device file whose mmap shows the registers at once. */
function registerFile(machine: Machine, kernel: Kernel, card: PciFunction): void {
  machine.devices.register("/dev/card", {
    name: "card",
    owner: undefined,
    *mmap(_file, area: MappableArea) {
      area.ops = { name: "card" };
      const { startPfn } = card.windows[0]!;
      return yield* kernel.mappings.remapPfnRange(area, {
        address: area.start,
        pfn: startPfn,
        pages: 1,
        leaves: "single",
      });
    },
  });
}

it("a load of a register by a process MUST be tried before and after the device goes", () => {
  const { missed, reached, isComplete } = missedOutcomes(
    (machine, kernel, outcome) => {
      const card = plug(machine);
      registerFile(machine, kernel, card);
      machine.spawn("process", function* (thread: UserThread) {
        const descriptor = yield* thread.open({
          path: "/dev/card",
          mode: "read-write",
          blocking: "blocking",
        });
        const request = {
          descriptor,
          pgoff: 0,
          length: 4096,
          protection: VM_READ,
          sharing: "shared",
        } as const;
        const at = yield* thread.mmap(request);
        kernelThread(machine, "slot", () => machine.pci.unplug(card));
        outcome["loaded"] = yield* thread.load(at as UserAddress);
      });
    },
    { random: 200 },
  );
  expect(missed).toEqual([]);
  expect({ reached: reached.length, isComplete }).toEqual({ reached: 2, isComplete: true });
});
