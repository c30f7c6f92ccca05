import { EBADF } from "../contract/errno.ts";
import type { Sleepable } from "../contract/execution.ts";
import type { File } from "../device/file.ts";
import type { Machine } from "../machine.ts";

/** The open files of a process, by descriptor (`struct files_struct`). Each descriptor holds one reference. */
export class FileTable {
  readonly #machine: Machine;
  readonly #files: (File | undefined)[] = [];

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** The open file behind a descriptor; undefined when there is none. */
  get(descriptor: number): File | undefined {
    return this.#files[descriptor];
  }

  /** Gives an open file the lowest free descriptor, and its reference to the table. */
  install(file: File): number {
    let descriptor = 0;
    while (this.#files[descriptor] !== undefined) descriptor++;
    this.#files[descriptor] = file;
    return descriptor;
  }

  /** Closes a descriptor: 0 or -EBADF. The file lives on while something else holds it. */
  *close(descriptor: number): Sleepable<number> {
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
    this.#files.forEach((file, descriptor) => {
      if (file === undefined) return;
      this.#machine.devices.keep(file);
      copy.#files[descriptor] = file;
    });
    return copy;
  }
}
