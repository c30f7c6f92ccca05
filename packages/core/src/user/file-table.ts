import { EBADF } from "../contract/errno.ts";
import type { Point, Sleepable } from "../contract/execution.ts";
import type { File } from "../device/file.ts";
import type { Machine } from "../machine.ts";
import { Access, ObjectKind, slotIndex } from "../sched/points.ts";

/** The open files of a process, by descriptor (`struct files_struct`). Each descriptor holds one reference. */
export class FileTable {
  readonly #machine: Machine;
  readonly #files: (File | undefined)[] = [];
  /** The identity of the table for the scheduler; each descriptor is a slot of it. */
  readonly #index: number;

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#index = machine.sched.nextObject();
  }

  /** The open file behind a descriptor; undefined when there is none. */
  get(descriptor: number): File | undefined {
    this.#note(descriptor, Access.read);
    return this.#files[descriptor];
  }

  /** Announces a look at a descriptor. */
  lookPoint(descriptor: number): Point {
    return this.#machine.sched.at(ObjectKind.slot, slotIndex(this.#index, descriptor), Access.read);
  }

  /** Announces that the lowest free descriptor is taken, whichever that will be: all below are looked at. */
  installPoint(): Point {
    return this.#machine.sched.asFound({
      announce: () => this.#announceUpTo(this.#lowestFree(), Access.write),
    });
  }

  /** Announces a look at all descriptors. */
  duplicatePoint(): Point {
    return this.#machine.sched.asFound({
      announce: () => this.#announceUpTo(this.#files.length, Access.read),
    });
  }

  /** Gives an open file the lowest free descriptor, and its reference to the table. */
  install(file: File): number {
    const descriptor = this.#lowestFree();
    for (let below = 0; below < descriptor; below++) this.#note(below, Access.read);
    this.#note(descriptor, Access.write);
    this.#files[descriptor] = file;
    return descriptor;
  }

  /** Closes a descriptor: 0 or -EBADF. The file lives on while something else holds it. */
  *close(descriptor: number): Sleepable<number> {
    const { sched } = this.#machine;
    if (sched.interleaving) yield sched.at(ObjectKind.slot, slotIndex(this.#index, descriptor), Access.write);
    const file = this.#files[descriptor];
    if (file === undefined) return -EBADF;
    this.#files[descriptor] = undefined;
    yield* this.#machine.devices.drop(file);
    return 0;
  }

  /** Closes every descriptor, in their order (`exit_files`). */
  *closeAll(): Sleepable<void> {
    for (let descriptor = 0; descriptor < this.#files.length; descriptor++) {
      if (this.#files[descriptor] !== undefined) yield* this.close(descriptor);
    }
  }

  /** A table of the same files under the same descriptors (`dup_fd`), with references of its own. */
  duplicate(): FileTable {
    const copy = new FileTable(this.#machine);
    // The first place behind the last is looked at as well: it is the next to be taken.
    for (let descriptor = 0; descriptor <= this.#files.length; descriptor++) {
      const file = this.get(descriptor);
      if (file === undefined) continue;
      this.#machine.devices.keep(file);
      copy.#files[descriptor] = file;
    }
    return copy;
  }

  #lowestFree(): number {
    let descriptor = 0;
    while (this.#files[descriptor] !== undefined) descriptor++;
    return descriptor;
  }

  /** Announces an access to a descriptor, and a look at all below it. */
  #announceUpTo(descriptor: number, access: Access): void {
    const { sched } = this.#machine;
    const point = sched.at(ObjectKind.slot, slotIndex(this.#index, descriptor), access);
    for (let below = 0; below < descriptor; below++) {
      sched.also(point, ObjectKind.slot, slotIndex(this.#index, below), Access.read);
    }
  }

  #note(descriptor: number, access: Access): void {
    const { sched } = this.#machine;
    if (sched.interleaving) sched.note(ObjectKind.slot, slotIndex(this.#index, descriptor), access);
  }
}
