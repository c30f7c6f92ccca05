import { mustSucceed, type Steps, user } from "@nopage/testkit/executor";
import { lab } from "../execute/lab-calls.ts";
import type { GuestModule } from "../subject/lab-subject.ts";
import { driverNames } from "./driver-sources.ts";
import { highway } from "./highway-commands.ts";

/** All of them, whichever a subject needs: so one guest serves every twin. */
export function twinModules(folder: string): readonly GuestModule[] {
  return driverNames.map((name) => ({ file: `${folder}/${name}.ko` }));
}

/** A node of the Highway driver, by which one strategy shows one object. */
export class TwinNode {
  readonly path: string;
  readonly #module: string;

  /** @param module the strategy's, such as `lazy-nopage` */
  constructor(module: string, kind: string) {
    this.#module = module;
    this.path = `/dev/highway/${module}.${kind}`;
  }

  /** A new object behind the node, whatever was done to its driver and its device before. */
  *renew(): Steps<void> {
    let descriptor = yield* this.#open();
    if (descriptor < 0) {
      yield* lab.insertModule(`/modules/${this.#module}.ko`);
      yield* lab.writeFile("/sys/bus/pci/rescan", "1");
      descriptor = mustSucceed(`open of ${this.path}`, yield* this.#open());
    }
    mustSucceed("a new object", yield* user.ioctl(descriptor, highway.reset));
    yield* user.close(descriptor);
  }

  /** One command through a descriptor of its own. */
  *command(command: number, argument = 0): Steps<number> {
    const descriptor = mustSucceed(`open of ${this.path}`, yield* this.#open());
    const answer = yield* user.ioctl(descriptor, command, argument);
    yield* user.close(descriptor);
    return answer;
  }

  /** Opens the same object by its other name. */
  openElsewhere(): Steps<number> {
    return user.open({ path: `${this.path}.too`, mode: "read-write", blocking: "blocking" });
  }

  /** Pulls the PCI function out, as its slot's eject button does. */
  *unplug(): Steps<void> {
    const name = this.path.replace("/dev/", "").replaceAll("/", "!");
    mustSucceed("PCI removal", yield* lab.writeFile(`/sys/class/highway/${name}/device/remove`, "1"));
  }

  #open(): Steps<number> {
    return user.open({ path: this.path, mode: "read-write", blocking: "blocking" });
  }
}

/** A node that is no object but a device of its own: a mirror, or a device that pins. */
export class TwinControl {
  readonly path: string;
  readonly #module: string;

  constructor(name: string, module: string) {
    this.path = `/dev/highway/${name}`;
    this.#module = module;
  }

  /** Loads its module again if a program has unloaded it. */
  *load(): Steps<void> {
    const descriptor = yield* this.#tryOpen();
    if (descriptor >= 0) yield* user.close(descriptor);
    else yield* lab.insertModule(`/modules/${this.#module}.ko`);
  }

  /** Opens it, which must succeed: the descriptor. */
  *open(): Steps<number> {
    return mustSucceed(`open of ${this.path}`, yield* this.#tryOpen());
  }

  /** One command through a descriptor of its own. */
  *once(command: number, argument = 0): Steps<number> {
    const descriptor = yield* this.open();
    const answer = yield* user.ioctl(descriptor, command, argument);
    yield* user.close(descriptor);
    return answer;
  }

  #tryOpen(): Steps<number> {
    return user.open({ path: this.path, mode: "read-write", blocking: "blocking" });
  }
}
