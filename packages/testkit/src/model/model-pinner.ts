import type { Kernel, Machine, PinningPolicy } from "@nopage/core";
import { mustSucceed } from "../program/expect.ts";
import type { Steps } from "../program/operation.ts";
import { user } from "../program/user.ts";
import type { Pinned, Pinner, PinnerSupports } from "../subject/pinner.ts";
import { controlOperations } from "./control.ts";
import { type PinnerCommand, PinningDevice, pinnerCommands } from "./pinning-device.ts";

const DEVICE = "/dev/pinner";

/** What a program holds: the number by which the device knows it, and the descriptor that it lives by. */
interface Token extends Pinned {
  readonly number: number;
  readonly descriptor: number;
}

/** Makes a device that pins by a policy, as the programs of laws use it. */
export function createModelPinner(machine: Machine, kernel: Kernel, policy: PinningPolicy): Pinner {
  const device = new PinningDevice(machine, kernel, policy);
  const commands = device.commands();
  const inode = machine.devices.register(DEVICE, {
    ...controlOperations(
      DEVICE,
      pinnerCommands.map((name) => commands[name]),
    ),
    release: (file) => device.release(file),
  });
  if (typeof inode === "number") throw new Error(`${DEVICE} is already registered`);
  return {
    name: policy.name,
    supports: supportsOf(machine, policy),
    *pin(address, pages, access): Steps<Token | number> {
      const descriptor = yield* opened();
      yield* command(descriptor, "choose-address", address);
      const number = yield* command(descriptor, access === "write" ? "pin-for-write" : "pin-for-read", pages);
      if (number >= 0) return { number, pages, descriptor };
      yield* user.close(descriptor);
      return number;
    },
    *unpin(pinned) {
      const { number, descriptor } = pinned as Token;
      mustSucceed("unpin", yield* command(descriptor, "unpin", number));
      yield* user.close(descriptor);
    },
    *deviceRead(pinned, page) {
      yield* once("choose-page", page);
      return yield* once("device-read", (pinned as Token).number);
    },
    *deviceWrite(pinned, page, value) {
      yield* once("choose-page", page);
      yield* once("choose-value", value);
      return yield* once("device-write", (pinned as Token).number);
    },
    held: () => once("held"),
    stops: () => once("stops"),
    quarantined: () => once("quarantined"),
    *endService() {
      yield* once("end-service");
    },
  };
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

function* opened(): Steps<number> {
  const descriptor = yield* user.open({ path: DEVICE, mode: "read-write", blocking: "blocking" });
  return mustSucceed(`open of ${DEVICE}`, descriptor);
}

/** One command through a descriptor of its own. */
function* once(name: PinnerCommand, argument = 0): Steps<number> {
  const descriptor = yield* opened();
  const answer = yield* command(descriptor, name, argument);
  yield* user.close(descriptor);
  return answer;
}

function* command(descriptor: number, name: PinnerCommand, argument: number): Steps<number> {
  return yield* user.ioctl(descriptor, pinnerCommands.indexOf(name), argument);
}
