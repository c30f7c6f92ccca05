import { EINVAL, type FileOperations, type Machine, type MaySleep, type OpenFile } from "@nopage/core";
import { mustSucceed } from "../program/expect.ts";
import type { Steps } from "../program/operation.ts";
import { user } from "../program/user.ts";
import { finished } from "./finished.ts";

/** What a control device does for one command; `argument` is the command's, and the answer is the system call's. */
export type ControlCommand = (argument: number, file: OpenFile) => MaySleep<number>;

/**
 * A device that carries out commands: the way by which a law's program reaches the owner of what it has mapped, as it
 * would through an ioctl of a driver's test interface. Nothing of a machine stands in it, so one serves them all.
 */
export class ControlDevice<Name extends string> {
  readonly path: string;
  /** The commands in the order of their numbers. */
  readonly #names: readonly Name[];

  constructor(path: string, names: readonly Name[]) {
    this.path = path;
    this.#names = names;
  }

  /** Puts it on a machine, with what each command does there and what else the file does. */
  register(
    machine: Machine,
    commands: Readonly<Record<Name, ControlCommand>>,
    others: Pick<FileOperations, "release"> = {},
  ): void {
    const byNumber = this.#names.map((name) => commands[name]);
    const inode = machine.devices.register(this.path, {
      name: this.path,
      owner: undefined,
      ioctl(file, command, argument) {
        const carryOut = byNumber[command];
        return carryOut === undefined ? -EINVAL : finished(carryOut(argument, file));
      },
      ...others,
    });
    if (typeof inode === "number") throw new Error(`${this.path} is already registered`);
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
