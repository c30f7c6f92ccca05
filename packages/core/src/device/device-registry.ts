import { EBUSY, ENODEV, ENOENT, ENOMEM } from "../contract/errno.ts";
import type { Sleepable } from "../contract/execution.ts";
import type { FileOperations, OpenFile, OpenMode } from "../contract/file.ts";
import type { Machine } from "../machine.ts";
import type { AddressSpace } from "../mm/address-space.ts";
import { isGenerator } from "../sched/is-generator.ts";
import { Access, ObjectKind } from "../sched/points.ts";
import type { Process } from "../user/process.ts";
import { File } from "./file.ts";
import { Inode } from "./inode.ts";
import { KernelModule } from "./kernel-module.ts";

/** How a file is opened (`open(2)`). */
export interface OpenRequest {
  readonly path: string;
  readonly mode: OpenMode;
  /** O_NONBLOCK. */
  readonly blocking: OpenFile["blocking"];
}

interface Registered {
  readonly inode: Inode;
  readonly operations: FileOperations;
}

/** The names in /dev, what stands behind them, and the life of files opened on them. */
export class DeviceRegistry {
  readonly #machine: Machine;
  readonly #byPath = new Map<string, Registered>();
  /** The identity of names, modules and numbers together for the scheduler. */
  readonly #index: number;
  #nextInode = 1;
  #nextModule = 1;
  /** Files that are open or mapped, for the leak check. */
  readonly openFiles = new Set<File>();
  readonly modules: KernelModule[] = [];

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#index = machine.sched.nextObject();
  }

  /** Loads a module (`init_module`); or -ENOMEM when there is no room for its code. */
  loadModule(name: string): KernelModule | number {
    if (!this.#machine.mayAllocate("load_module")) return -ENOMEM;
    this.#note(this.#index, Access.write);
    const module = new KernelModule(this.#nextModule++, name, this.#machine);
    this.modules.push(module);
    return module;
  }

  /** A new inode with an address space of its own (`new_inode`); undefined when memory has run out. */
  createInode(name: string): Inode | undefined {
    if (!this.#machine.mayAllocate("alloc_inode")) return undefined;
    this.#note(this.#index, Access.write);
    const { sched } = this.#machine;
    return new Inode(this.#nextInode++, name, this.#machine.createAddressSpace(name), sched.nextObject());
  }

  /** Gives a character device a name (`cdev_add`): its inode; -EBUSY for a name that is taken, -ENOMEM. */
  register(path: string, operations: FileOperations): Inode | number {
    this.#note(this.#index, Access.write);
    if (this.#byPath.has(path)) return -EBUSY;
    if (!this.#machine.mayAllocate("cdev_add")) return -ENOMEM;
    const inode = this.createInode(path);
    if (inode === undefined) return -ENOMEM;
    this.#byPath.set(path, { inode, operations });
    return inode;
  }

  /** Takes the name away (`cdev_del`); open files and mappings live on. */
  unregister(path: string): void {
    this.#note(this.#index, Access.write);
    this.#byPath.delete(path);
  }

  /** Takes away all names that a module has given, as its exit function does. */
  unregisterAllOf(owner: KernelModule): void {
    this.#note(this.#index, Access.write);
    for (const [path, { operations }] of this.#byPath) {
      if (operations.owner === owner) this.#byPath.delete(path);
    }
  }

  /** Names in use, in order of registration. */
  paths(): readonly string[] {
    this.#note(this.#index, Access.read);
    return [...this.#byPath.keys()];
  }

  /** The reverse maps of all devices and open files, each once. */
  addressSpaces(): ReadonlySet<AddressSpace> {
    const inodes = [...this.#byPath.values(), ...this.openFiles].map(({ inode }) => inode);
    return new Set(inodes.map(({ mapping }) => mapping));
  }

  /** Opens a device by name: the file, or -ENOENT, -ENODEV for a module on its way out, or the driver's errno. */
  *open(request: OpenRequest, process: Process): Sleepable<File | number> {
    const { sched } = this.#machine;
    if (sched.interleaving) yield sched.at(ObjectKind.cell, this.#index, Access.read);
    const registered = this.#byPath.get(request.path);
    if (registered === undefined) return -ENOENT;
    return yield* this.openInode(registered.inode, registered.operations, request, process);
  }

  /** Opens an inode that may have no name. */
  *openInode(
    inode: Inode,
    operations: FileOperations,
    request: OpenRequest,
    process: Process,
  ): Sleepable<File | number> {
    if (!this.#machine.mayAllocate("alloc_empty_file")) return -ENOMEM;
    if (operations.owner !== undefined && !operations.owner.use()) return -ENODEV;
    const { sched } = this.#machine;
    const file = new File(inode, operations, request.mode, request.blocking, sched.nextObject());
    const answer = operations.open?.(file, process) ?? 0;
    const result = isGenerator(answer) ? yield* answer : answer;
    if (result !== 0) {
      operations.owner?.unuse();
      return result;
    }
    this.#note(inode.cell, Access.countUp);
    inode.opens++;
    this.openFiles.add(file);
    this.#machine.log.record("file-open", inode.id, process.pid);
    return file;
  }

  /** One holder of the file more (`get_file`). */
  keep(file: OpenFile): void {
    const own = file as File;
    this.#note(own.cell, Access.countUp);
    own.references++;
  }

  /** One holder less (`fput`); the last one releases the file and lets its module go. */
  *drop(file: OpenFile): Sleepable<void> {
    const own = file as File;
    // Whoever comes last releases it, so that two may not be swapped, whether either is the last where it stands or not.
    this.#note(own.cell, Access.countDown);
    if (--own.references > 0) return;
    this.#machine.log.record("file-release", own.inode.id);
    const answer = own.operations.release?.(own);
    if (isGenerator(answer)) yield* answer;
    this.#note(own.inode.cell, Access.countDown);
    own.inode.opens--;
    this.openFiles.delete(own);
    own.operations.owner?.unuse();
  }

  #note(cell: number, access: Access): void {
    this.#machine.sched.note(ObjectKind.cell, cell, access);
  }
}
