import {
  type BusAddress,
  DmaPort,
  EFAULT,
  EINVAL,
  EIO,
  type Pinned as Held,
  isError,
  isGenerator,
  type Kernel,
  type Machine,
  type MaySleep,
  type PinAccess,
  type PinningPolicy,
  type Sleepable,
  type UserAddress,
} from "@nopage/core";
import { mustSucceed } from "../program/expect.ts";
import type { Steps } from "../program/operation.ts";
import { user } from "../program/user.ts";
import type { Pinned, Pinner } from "../subject/pinner.ts";
import { type ControlCommand, controlOperations } from "./control.ts";

const DEVICE = "/dev/pinner";

const commandNames = [
  "choose-address",
  "pin-for-read",
  "pin-for-write",
  "unpin",
  "choose-page",
  "choose-value",
  "device-read",
  "device-write",
  "held",
] as const;
type CommandName = (typeof commandNames)[number];

/** What a program holds: the number by which the device knows it. */
interface Token extends Pinned {
  readonly number: number;
}

/** A device that keeps pages by a pinning policy, one word of each to be read and written. */
class PinningDevice {
  readonly #kernel: Kernel;
  readonly #hooks: ReturnType<PinningPolicy["create"]>;
  readonly #dma: DmaPort;
  readonly #held = new Map<number, Held>();
  #next = 0;
  #address = 0;
  #page = 0;
  #value = 0;

  constructor(machine: Machine, kernel: Kernel, policy: PinningPolicy) {
    this.#kernel = kernel;
    this.#hooks = policy.create(kernel);
    this.#dma = new DmaPort(machine, "the pinner", 52);
  }

  commands(): Record<CommandName, ControlCommand> {
    return {
      "choose-address": (address) => {
        this.#address = address;
        return 0;
      },
      "pin-for-read": (pages) => this.#pin(pages, "device-reads"),
      "pin-for-write": (pages) => this.#pin(pages, "device-writes"),
      unpin: (number) => this.#unpin(number),
      "choose-page": (page) => {
        this.#page = page;
        return 0;
      },
      "choose-value": (value) => {
        this.#value = value;
        return 0;
      },
      "device-read": (number) => this.#read(number),
      "device-write": (number) => this.#write(number),
      held: () => [...this.#held.values()].reduce((sum, { pages }) => sum + pages.length, 0),
    };
  }

  *#pin(pages: number, access: PinAccess): Sleepable<number> {
    const mm = this.#kernel.user.currentMm();
    if (mm === undefined) return -EINVAL;
    const held = yield* finished(this.#hooks.pin(mm, this.#address as UserAddress, pages, access));
    if (typeof held === "number") return held;
    this.#dma.map(held);
    this.#held.set(this.#next, held);
    return this.#next++;
  }

  *#unpin(number: number): Sleepable<number> {
    const held = this.#held.get(number);
    if (held === undefined) return -EINVAL;
    this.#held.delete(number);
    this.#dma.unmap(held);
    yield* finished(this.#hooks.unpin(held, held.access === "device-writes" ? "dirty" : "clean"));
    return 0;
  }

  *#read(number: number): Sleepable<number> {
    const word = new Uint8Array(4);
    const moved = yield* this.#move(number, word, "read");
    return moved < 0 ? moved : new DataView(word.buffer).getUint32(0, true);
  }

  *#write(number: number): Sleepable<number> {
    const word = new Uint8Array(4);
    new DataView(word.buffer).setUint32(0, this.#value, true);
    return yield* this.#move(number, word, "write");
  }

  /** Moves one word of the chosen page: 0; -EFAULT where the device may not; -EIO where the bus knows no memory. */
  *#move(number: number, word: Uint8Array, access: "read" | "write"): Sleepable<number> {
    const held = this.#held.get(number);
    if (held === undefined) return -EINVAL;
    const { pageSize } = this.#kernel.geometry;
    const { follower } = held;
    if (follower === undefined) {
      const frame = held.pages[this.#page];
      if (frame === undefined) return -EFAULT;
      const address = (frame * pageSize) as BusAddress;
      const done = yield* access === "read" ? this.#dma.read(address, word) : this.#dma.write(address, word);
      return done ? 0 : -EIO;
    }
    const address = (held.start + this.#page * pageSize) as UserAddress;
    for (;;) {
      const moved = yield* access === "read"
        ? this.#dma.readThrough(follower, address, word)
        : this.#dma.writeThrough(follower, address, word);
      if (moved === word.length) return 0;
      const made = yield* follower.populate(address, access);
      if (isError(made)) return made;
    }
  }
}

/** Makes a device that pins by a policy, as the programs of laws use it. */
export function createModelPinner(machine: Machine, kernel: Kernel, policy: PinningPolicy): Pinner {
  const device = new PinningDevice(machine, kernel, policy);
  const commands = device.commands();
  const inode = machine.devices.register(
    DEVICE,
    controlOperations(
      DEVICE,
      commandNames.map((name) => commands[name]),
    ),
  );
  if (typeof inode === "number") throw new Error(`${DEVICE} is already registered`);
  const { supports } = policy;
  return {
    name: policy.name,
    survivesFork: supports.survives.includes("fork") && supports.coherentAfterFork,
    survivesUnmap: supports.survives.includes("munmap") && supports.holdsBy !== "notifier",
    *pin(address, pages, access) {
      yield* command("choose-address", address);
      const number = yield* command(access === "write" ? "pin-for-write" : "pin-for-read", pages);
      return number < 0 ? number : tokenOf(number, pages);
    },
    *unpin(pinned) {
      mustSucceed("unpin", yield* command("unpin", numberOf(pinned)));
    },
    *deviceRead(pinned, page) {
      yield* command("choose-page", page);
      return yield* command("device-read", numberOf(pinned));
    },
    *deviceWrite(pinned, page, value) {
      yield* command("choose-page", page);
      yield* command("choose-value", value);
      return yield* command("device-write", numberOf(pinned));
    },
    held: () => command("held"),
  };
}

function tokenOf(number: number, pages: number): Token {
  return { number, pages };
}

function numberOf(pinned: Pinned): number {
  return (pinned as Token).number;
}

function* command(name: CommandName, argument = 0): Steps<number> {
  const descriptor = yield* user.open({ path: DEVICE, mode: "read-write", blocking: "blocking" });
  mustSucceed(`open of ${DEVICE}`, descriptor);
  const answer = yield* user.ioctl(descriptor, commandNames.indexOf(name), argument);
  yield* user.close(descriptor);
  return answer;
}

function* finished<T>(answer: MaySleep<T>): Sleepable<T> {
  return isGenerator(answer) ? yield* answer : answer;
}
