import { EINVAL, type FileOperations, type Machine, type MaySleep, type OpenFile } from "@nopage/core";
import { mustSucceed } from "../program/expect.ts";
import type { Steps } from "../program/operation.ts";
import { user } from "../program/user.ts";

/** What a control device does for one command, for who owns it; `argument` is the command's, and the answer is the system call's. */
export type ControlCommand<Owner> = (owner: Owner, argument: number, file: OpenFile) => MaySleep<number>;

/** What a control device does besides. */
export interface ControlHooks<Owner> {
  /** The last user of a file of it is gone. */
  release?(owner: Owner, file: OpenFile): MaySleep<void>;
}

/**
 * A device that carries out commands: the way by which a law's program reaches the owner of what it has mapped, as it
 * would through an ioctl of a driver's test interface. Nothing of a machine stands in it, so one serves them all.
 */
export class ControlDevice<Owner, Name extends string> {
  readonly path: string;
  /** The commands in the order of their numbers. */
  readonly #names: readonly Name[];
  readonly #byNumber: readonly ControlCommand<Owner>[];
  readonly #hooks: ControlHooks<Owner>;

  constructor(
    path: string,
    commands: Readonly<Record<Name, ControlCommand<Owner>>>,
    hooks: ControlHooks<Owner> = {},
  ) {
    this.path = path;
    this.#names = Object.keys(commands) as Name[];
    this.#byNumber = Object.values(commands);
    this.#hooks = hooks;
  }

  /** Puts it on a machine, for its owner there. */
  register(machine: Machine, owner: Owner): void {
    const file = new ControlFile(this.path, owner, this.#byNumber, this.#hooks);
    if (typeof machine.devices.register(this.path, file) === "number") {
      throw new Error(`${this.path} is already registered`);
    }
  }

  /** Opens it, which must succeed: the descriptor. */
  *open(): Steps<number> {
    const descriptor = yield* user.open({ path: this.path, mode: "read-write", blocking: "blocking" });
    return mustSucceed(`open of ${this.path}`, descriptor);
  }

  /** One command through an open descriptor. */
  command(descriptor: number, name: Name, argument = 0): Steps<number> {
    return user.ioctl(descriptor, this.#names.indexOf(name), argument);
  }

  /** One command through a descriptor of its own. */
  *once(name: Name, argument = 0): Steps<number> {
    const descriptor = yield* this.open();
    const answer = yield* this.command(descriptor, name, argument);
    yield* user.close(descriptor);
    return answer;
  }
}

/** The device as a machine has it. */
class ControlFile<Owner> implements FileOperations {
  readonly name: string;
  readonly owner = undefined;
  readonly #for: Owner;
  readonly #byNumber: readonly ControlCommand<Owner>[];
  readonly #hooks: ControlHooks<Owner>;

  constructor(
    name: string,
    owner: Owner,
    byNumber: readonly ControlCommand<Owner>[],
    hooks: ControlHooks<Owner>,
  ) {
    this.name = name;
    this.#for = owner;
    this.#byNumber = byNumber;
    this.#hooks = hooks;
  }

  ioctl(file: OpenFile, command: number, argument: number): MaySleep<number> {
    const carryOut = this.#byNumber[command];
    return carryOut === undefined ? -EINVAL : carryOut(this.#for, argument, file);
  }

  release(file: OpenFile): MaySleep<void> {
    return this.#hooks.release?.(this.#for, file);
  }
}
