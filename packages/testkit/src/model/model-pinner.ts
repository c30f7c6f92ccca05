import type { Kernel, Machine, PinningPolicy } from "@nopage/core";
import { mustSucceed } from "../program/expect.ts";
import type { Steps } from "../program/operation.ts";
import { user } from "../program/user.ts";
import type { Pinned, Pinner, PinnerSupports } from "../subject/pinner.ts";
import { ControlDevice } from "./control.ts";
import { PinningDevice, pinnerCommands } from "./pinning-device.ts";

const control = new ControlDevice<PinningDevice, keyof typeof pinnerCommands>("/dev/pinner", pinnerCommands, {
  release: (device, file) => device.release(file),
});

/** What a program holds: the number by which the device knows it, and the descriptor that it lives by. */
interface Token extends Pinned {
  readonly number: number;
  readonly descriptor: number;
}

/** Makes a device that pins by a policy, as the programs of laws use it. */
export function createModelPinner(machine: Machine, kernel: Kernel, policy: PinningPolicy): Pinner {
  control.register(machine, new PinningDevice(machine, kernel, policy));
  return new ModelPinner(policy.name, supportsOf(machine, policy));
}

/** What a program can have it do: all of it goes through the device. */
class ModelPinner implements Pinner {
  readonly name: string;
  readonly supports: PinnerSupports;

  constructor(name: string, supports: PinnerSupports) {
    this.name = name;
    this.supports = supports;
  }

  *pin(address: number, pages: number, access: "read" | "write"): Steps<Token | number> {
    const descriptor = yield* control.open();
    yield* control.command(descriptor, "choose-address", address);
    const number = yield* control.command(
      descriptor,
      access === "write" ? "pin-for-write" : "pin-for-read",
      pages,
    );
    if (number >= 0) return { number, pages, descriptor };
    yield* user.close(descriptor);
    return number;
  }

  *unpin(pinned: Pinned): Steps<void> {
    const { number, descriptor } = pinned as Token;
    mustSucceed("unpin", yield* control.command(descriptor, "unpin", number));
    yield* user.close(descriptor);
  }

  *deviceRead(pinned: Pinned, page: number): Steps<number> {
    yield* control.once("choose-page", page);
    return yield* control.once("device-read", (pinned as Token).number);
  }

  *deviceWrite(pinned: Pinned, page: number, value: number): Steps<number> {
    yield* control.once("choose-page", page);
    yield* control.once("choose-value", value);
    return yield* control.once("device-write", (pinned as Token).number);
  }

  held(): Steps<number> {
    return control.once("held");
  }

  stops(): Steps<number> {
    return control.once("stops");
  }

  quarantined(): Steps<number> {
    return control.once("quarantined");
  }

  *endService(): Steps<void> {
    yield* control.once("end-service");
  }
}

function supportsOf({ settings }: Machine, { supports }: PinningPolicy): PinnerSupports {
  const { holdsBy, survives, survivesOnLegacy, coherentAfterFork, onDeath, charged } = supports;
  return {
    holds: holdsBy === "notifier" ? "nothing" : "pages",
    survives: settings.reservedPages === "6.1" ? survives : survivesOnLegacy,
    coherentAfterFork,
    onDeath,
    charged,
  };
}
