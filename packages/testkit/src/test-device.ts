import {
  type BackingMemory,
  type CacheMode,
  ENODEV,
  type FileOperations,
  isError,
  type Kernel,
  type Machine,
  type MappableArea,
  type MappingBinding,
  type MappingStrategy,
  type MaySleep,
  type OpenFile,
  type Sleepable,
  type UserThread,
  VM_READ,
  VM_WRITE,
} from "@nopage/core";

/** What a test device shows, and whether a module stands behind it. */
export interface TestDeviceShape {
  readonly memory: BackingMemory;
  readonly pages: number;
  /** `/dev/test` when left out. */
  readonly path?: string;
  readonly cache?: CacheMode;
  /** The module that its open files keep loaded (MO-01); none when left out. */
  readonly owner?: FileOperations["owner"];
  /** What its system calls do, in place of mapping and nothing else; it names the owner itself. */
  readonly file?: ShowingFile;
}

/** A device that can be opened and mapped. */
export interface TestDevice {
  readonly path: string;
  /** The way to its gate, and to quiesce, resume, replace and remove. */
  readonly binding: MappingBinding;
}

/**
 * The smallest device that a strategy can be tried on: `pseudo device driver with mmap`, as the mail of 1997 is
 * titled. Its mmap hook is the strategy's, by way of the core.
 *
 * @throws Error when the path is taken, and what `kernel.bind` throws for memory that the strategy cannot show
 */
export function createTestDevice(
  machine: Machine,
  kernel: Kernel,
  strategy: MappingStrategy,
  shape: TestDeviceShape,
): TestDevice {
  const path = shape.path ?? "/dev/test";
  const file = shape.file ?? new ShowingFile(path, shape.owner, undefined);
  const inode = machine.devices.register(path, file);
  if (typeof inode === "number") throw new Error(`${path} is already registered`);
  const binding = kernel.bind(strategy, {
    name: path,
    memory: shape.memory,
    pages: shape.pages,
    cache: shape.cache ?? "cached",
    mapping: inode.mapping,
  });
  file.shows(binding);
  return { path, binding };
}

/** A file that can be mapped, and nothing else. */
export class ShowingFile implements FileOperations {
  readonly name: string;
  readonly owner: FileOperations["owner"];
  #binding: MappingBinding | undefined;

  constructor(name: string, owner: FileOperations["owner"], binding: MappingBinding | undefined) {
    this.name = name;
    this.owner = owner;
    this.#binding = binding;
  }

  protected get binding(): MappingBinding | undefined {
    return this.#binding;
  }

  /** What is shown from now on: its areas hang where the inode's do, which is there before the binding. */
  shows(binding: MappingBinding): void {
    this.#binding = binding;
  }

  mmap(_file: OpenFile, area: MappableArea): MaySleep<number> {
    return this.#binding === undefined ? -ENODEV : this.#binding.mmap(area);
  }
}

/** How a test maps the device: all of it, shared and writable, unless told otherwise. */
export interface TestMapping {
  readonly firstPage?: number;
  readonly pages?: number;
  readonly protection?: number;
  readonly sharing?: "shared" | "private";
}

/**
 * Opens a test device, maps it, and closes the descriptor again, which the mapping outlives (LC-18).
 *
 * @returns the address, or the negated errno of `open` or `mmap`
 */
export function* mapTestDevice(
  thread: UserThread,
  { path, binding }: TestDevice,
  mapping: TestMapping = {},
): Sleepable<number> {
  const { firstPage = 0, pages = binding.backing.pages - firstPage } = mapping;
  const descriptor = yield* thread.open({ path, mode: "read-write", blocking: "blocking" });
  if (isError(descriptor)) return descriptor;
  const address = yield* thread.mmap({
    length: pages * thread.machine.geometry.pageSize,
    protection: mapping.protection ?? VM_READ | VM_WRITE,
    sharing: mapping.sharing ?? "shared",
    pgoff: firstPage,
    descriptor,
  });
  yield* thread.close(descriptor);
  return address;
}
