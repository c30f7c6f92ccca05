import {
  EAGAIN,
  EFAULT,
  ENODEV,
  ENOSPC,
  type FileOperations,
  type Kernel,
  type MappingBinding,
  type OpenFile,
  type Sleepable,
  type UserAddress,
} from "@nopage/core";
import type { ShownMemory } from "../shown-memory.ts";
import { ShowingFile } from "../test-device.ts";

/** What a subject's files reach beside their mappings. */
interface FileParts {
  readonly kernel: Kernel;
  readonly shown: ShownMemory;
}

/**
 * A node of a subject's device: read(2) and write(2) reach what a mapping shows, at the file's position and by the same
 * gate (QU-10). They wait there as a touch does, or answer -EAGAIN on a file that may not wait. The look at the gate and
 * the move are one step, which is what holding the gate open is in a driver; the bytes go through a buffer of their own, so
 * that nothing is held when the user's buffer faults, which may be a mapping of this very device (AT-03). The Linux twin
 * of it is packages/device-highway/linux/file.c.
 */
export class SubjectFile extends ShowingFile {
  readonly #parts: FileParts;

  constructor(
    name: string,
    owner: FileOperations["owner"],
    parts: FileParts,
    binding: MappingBinding | undefined,
  ) {
    super(name, owner, binding);
    this.#parts = parts;
  }

  /** The bytes read, of one page at most, 0 at the end; -EAGAIN, -ERESTARTSYS, -ENODEV, -ENXIO in a hole, -EFAULT. */
  *read(file: OpenFile, buffer: UserAddress, length: number): Sleepable<number> {
    const bytes = this.#bufferFor(file, length);
    const moved = yield* this.#move(file, bytes, "read");
    if (moved <= 0) return moved;
    if ((yield* this.#parts.kernel.user.copyTo(buffer, bytes)) > 0) return -EFAULT;
    file.position += moved;
    return moved;
  }

  /** As `read`; -ENOSPC past the end. */
  *write(file: OpenFile, buffer: UserAddress, length: number): Sleepable<number> {
    const bytes = this.#bufferFor(file, length);
    if ((yield* this.#parts.kernel.user.copyFrom(buffer, bytes)) > 0) return -EFAULT;
    const moved = yield* this.#move(file, bytes, "write");
    if (moved > 0) file.position += moved;
    return moved;
  }

  /** Room for what is asked for of the page that the file stands in. */
  #bufferFor({ position }: OpenFile, length: number): Uint8Array {
    const { pageSize } = this.#parts.kernel.geometry;
    return new Uint8Array(Math.min(length, pageSize - (position % pageSize)));
  }

  /** Moves the bytes at the file's position as soon as the gate is open. */
  *#move(file: OpenFile, bytes: Uint8Array, direction: "read" | "write"): Sleepable<number> {
    const { binding } = this;
    if (binding === undefined) return -ENODEV;
    const { gate } = binding.backing;
    for (;;) {
      const state = yield* gate.look();
      if (state === "gone") return -ENODEV;
      if (state === "open") return this.#moveNow(binding, file.position, bytes, direction);
      if (file.blocking === "nonblocking") return -EAGAIN;
      const interrupted = yield* gate.waitUntilOpen("interruptible");
      if (interrupted < 0) return interrupted;
    }
  }

  #moveNow({ backing }: MappingBinding, at: number, bytes: Uint8Array, direction: "read" | "write"): number {
    const { shown, kernel } = this.#parts;
    const end = Math.min(backing.pages, shown.pages) * kernel.geometry.pageSize;
    if (at >= end) return direction === "write" ? -ENOSPC : 0;
    return shown.move(at, bytes, direction);
  }
}
