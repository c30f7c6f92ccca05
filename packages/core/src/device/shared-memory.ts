import type { Backing, PageArray } from "../contract/backing.ts";
import { EINVAL, ENOMEM } from "../contract/errno.ts";
import type { Sleepable } from "../contract/execution.ts";
import type { FileOperations, MappableArea, OpenFile } from "../contract/file.ts";
import type { Gate } from "../contract/gate.ts";
import { type FaultOutcome, mapPage, oom, retryNow, retryWhenOpen, sigbus } from "../contract/outcome.ts";
import type { Page } from "../contract/units.ts";
import type { Fault, VmOps } from "../contract/vm-ops.ts";
import type { Machine } from "../machine.ts";
import { owners } from "../memory/owners.ts";
import type { AddressSpace } from "../mm/address-space.ts";
import { unmapMappingRange } from "../mm/rmap.ts";
import type { Process } from "../user/process.ts";
import { File } from "./file.ts";
import type { Inode } from "./inode.ts";

/** The pages of one memory file (its page cache), each holding one reference of the file's own. */
class MemoryObject implements Backing {
  readonly name: string;
  readonly cache = "cached";
  readonly gate: Gate;
  readonly mapping: AddressSpace;
  readonly cached = new Map<number, Page>();
  readonly #inode: Inode;
  readonly #pageSize: number;

  constructor(machine: Machine, inode: Inode) {
    this.name = inode.name;
    this.#inode = inode;
    this.#pageSize = machine.geometry.pageSize;
    this.gate = machine.createGate(inode.name);
    this.mapping = inode.mapping;
  }

  get pages(): number {
    return Math.ceil(this.#inode.size / this.#pageSize);
  }

  get memory(): PageArray {
    return {
      kind: "page-array",
      list: Array.from({ length: this.pages }, (_, index) => this.cached.get(index)),
    };
  }
}

/**
 * Memory files: `memfd_create`, and what MAP_SHARED without a file maps (mm/shmem.c). Pages come to be at the first
 * touch, zeroed; truncation closes the gate, zaps, frees and opens again, so a fault that raced with it cannot leave
 * an entry to a freed page (TR-03).
 */
export class SharedMemory {
  readonly #machine: Machine;
  readonly #objects = new Map<Inode, MemoryObject>();
  readonly #operations: FileOperations;
  readonly #vmOps: VmOps;

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#vmOps = { name: "memory file", nopage: (fault) => this.#nopage(fault) };
    this.#operations = {
      name: "memory file",
      owner: undefined,
      mmap: (file, area) => this.#mmap(file, area),
      release: (file) => this.#release(file),
    };
  }

  /** `memfd_create`: an empty file, or -ENOMEM. */
  *create(name: string, process: Process): Sleepable<File | number> {
    const { devices } = this.#machine;
    const inode = this.#createInode(name);
    if (inode === undefined) return -ENOMEM;
    const request = { path: name, mode: "read-write", blocking: "blocking" } as const;
    const file = yield* devices.openInode(inode, this.#operations, request, process);
    if (typeof file === "number") this.#objects.delete(inode);
    return file;
  }

  /**
   * The file behind a shared anonymous mapping of `bytes` bytes (`shmem_zero_setup`); the caller's area holds its only
   * reference. Undefined when memory has run out.
   */
  createUnnamed(bytes: number): File | undefined {
    const inode = this.#createInode("shared anonymous memory");
    if (inode === undefined) return undefined;
    if (!this.#machine.mayAllocate("alloc_empty_file")) {
      this.#objects.delete(inode);
      return undefined;
    }
    inode.size = bytes;
    inode.opens++;
    const file = new File(inode, this.#operations, "read-write", "blocking");
    this.#machine.devices.openFiles.add(file);
    return file;
  }

  /** Whether a file is a memory file. */
  isMemory(file: OpenFile): boolean {
    return this.#objects.has(file.inode);
  }

  /** Whether a memory file has its page `index` in memory, mapped or not. */
  isCached(file: OpenFile, index: number): boolean {
    return this.#objects.get(file.inode)?.cached.has(index) ?? false;
  }

  /** Sets the size in bytes: 0, or -EINVAL for another kind of file. Pages past the end go, with private copies of them. */
  *truncate(file: OpenFile, bytes: number): Sleepable<number> {
    const object = this.#objects.get(file.inode);
    if (object === undefined || bytes < 0) return -EINVAL;
    const { inode } = file;
    if (bytes >= inode.size) {
      inode.size = bytes;
      return 0;
    }
    yield* object.gate.close();
    inode.size = bytes;
    const firstGone = object.pages;
    yield* unmapMappingRange(inode.mapping, firstGone, 0, "even-cows");
    for (const [index, page] of [...object.cached].sort(([one], [other]) => one - other)) {
      if (index < firstGone) continue;
      object.cached.delete(index);
      yield* this.#machine.putPage(page);
    }
    this.#clearTail(object, bytes);
    yield* object.gate.open();
    return 0;
  }

  /** Zeroes what lies past the end in the last page, so that growing again shows zeros (TR-01). */
  #clearTail(object: MemoryObject, bytes: number): void {
    const { pageSize } = this.#machine.geometry;
    const inPage = bytes % pageSize;
    const last = object.cached.get(Math.floor(bytes / pageSize));
    if (inPage === 0 || last === undefined) return;
    this.#machine.memory.frames.bytes.fill(0, last * pageSize + inPage, (last + 1) * pageSize);
  }

  #createInode(name: string): Inode | undefined {
    const inode = this.#machine.devices.createInode(name);
    if (inode === undefined) return undefined;
    this.#objects.set(inode, new MemoryObject(this.#machine, inode));
    return inode;
  }

  #mmap(file: OpenFile, area: MappableArea): number {
    area.ops = this.#vmOps;
    area.backing = this.#objects.get(file.inode);
    return 0;
  }

  *#nopage(fault: Fault): Sleepable<FaultOutcome> {
    if (fault.gate === "closed") return retryWhenOpen;
    const object = fault.area.file === undefined ? undefined : this.#objects.get(fault.area.file.inode);
    if (object === undefined || fault.pgoff >= object.pages) return sigbus;
    let page = object.cached.get(fault.pgoff);
    if (page === undefined) {
      page = this.#machine.memory.pages.allocZeroedPage(owners.pageCache);
      if (page === undefined) return oom;
      object.cached.set(fault.pgoff, page);
    }
    return (yield* this.#machine.tryGetPage(page)) ? mapPage(page) : retryNow;
  }

  *#release(file: OpenFile): Sleepable<void> {
    if (file.inode.opens > 1) return;
    const object = this.#objects.get(file.inode);
    if (object === undefined) return;
    for (const page of object.cached.values()) yield* this.#machine.putPage(page);
    this.#objects.delete(file.inode);
  }
}
