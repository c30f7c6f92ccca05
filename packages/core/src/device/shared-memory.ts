import type { Backing, PageArray } from "../contract/backing.ts";
import { EINVAL, ENOMEM } from "../contract/errno.ts";
import type { Atomic, Sleepable } from "../contract/execution.ts";
import type { FileOperations, MappableArea, OpenFile } from "../contract/file.ts";
import type { Gate } from "../contract/gate.ts";
import { type FaultOutcome, mapPage, oom, retryNow, retryWhenOpen, sigbus } from "../contract/outcome.ts";
import type { Page, Pfn } from "../contract/units.ts";
import type { Fault, VmOps } from "../contract/vm-ops.ts";
import type { Machine } from "../machine.ts";
import { owners } from "../memory/owners.ts";
import type { AddressSpace } from "../mm/address-space.ts";
import { unmapMappingRange } from "../mm/rmap.ts";
import { Access, ObjectKind, slotIndex } from "../sched/points.ts";
import { RwSemaphore } from "../sched/rw-semaphore.ts";
import type { Process } from "../user/process.ts";
import { File } from "./file.ts";
import type { Inode } from "./inode.ts";

/**
 * The pages of one memory file (its page cache), each holding one reference of the file's own. The size changes under
 * `lock`, each change announced as `sizeCell`; pages are taken out of the cache under `lock` with the gate closed.
 */
class MemoryObject implements Backing {
  readonly name: string;
  readonly cache = "cached";
  readonly gate: Gate;
  readonly mapping: AddressSpace;
  readonly cached = new Map<number, Page>();
  /** Taken by whoever changes the size (`i_rwsem`), outside the mmap lock; a fault never takes it. */
  readonly lock: RwSemaphore;
  readonly sizeCell: number;
  readonly #inode: Inode;
  readonly #pageSize: number;

  constructor(machine: Machine, inode: Inode) {
    this.name = inode.name;
    this.#inode = inode;
    this.#pageSize = machine.geometry.pageSize;
    this.gate = machine.createGate(inode.name);
    this.mapping = inode.mapping;
    this.lock = new RwSemaphore(machine.sched, "i_rwsem");
    this.sizeCell = machine.sched.nextObject();
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
 * touch, zeroed.
 *
 * Truncations of one file go one after the other (`i_rwsem`). Each closes the gate, zaps, frees and opens again: a fault
 * writes its entry only if the gate is as it was when it asked for the page, so one that raced with truncation leaves no
 * entry to a freed page (TR-03). Linux has the lock of the page for that, with a second look at the size under it.
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
    const cell = this.#machine.sched.nextObject();
    const file = new File(inode, this.#operations, "read-write", "blocking", cell);
    this.#machine.devices.openFiles.add(file);
    return file;
  }

  /** Whether a file is a memory file. */
  isMemory(file: OpenFile): boolean {
    return this.#objects.has(file.inode);
  }

  /** Whether a memory file has its page `index` in memory, mapped or not. */
  isCached(file: OpenFile, index: number): boolean {
    const object = this.#objects.get(file.inode);
    if (object === undefined) return false;
    this.#notePage(object, index, Access.read);
    return object.cached.has(index);
  }

  /** Sets the size in bytes: 0, or -EINVAL for another kind of file. Pages past the end go, with private copies of them. */
  *truncate(file: OpenFile, bytes: number): Sleepable<number> {
    const object = this.#objects.get(file.inode);
    if (object === undefined || bytes < 0) return -EINVAL;
    yield* object.lock.write();
    if (bytes < file.inode.size) yield* this.#shrink(object, file.inode, bytes);
    else yield* this.#setSize(object, file.inode, bytes);
    object.lock.unlockWrite();
    return 0;
  }

  *#setSize(object: MemoryObject, inode: Inode, bytes: number): Atomic<void> {
    const { sched } = this.#machine;
    if (sched.interleaving) yield sched.at(ObjectKind.cell, object.sizeCell, Access.write);
    inode.size = bytes;
  }

  *#shrink(object: MemoryObject, inode: Inode, bytes: number): Sleepable<void> {
    yield* object.gate.close();
    yield* this.#setSize(object, inode, bytes);
    const firstGone = object.pages;
    yield* unmapMappingRange(inode.mapping, firstGone, 0, "even-cows");
    for (const [index, page] of [...object.cached].sort(([one], [other]) => one - other)) {
      if (index < firstGone) continue;
      this.#notePage(object, index, Access.write);
      object.cached.delete(index);
      yield* this.#machine.putPage(page);
    }
    yield* this.#clearTail(object, bytes);
    yield* object.gate.open();
  }

  /** Zeroes what lies past the end in the last page, so that growing again shows zeros (TR-01). */
  *#clearTail(object: MemoryObject, bytes: number): Atomic<void> {
    const { sched, memory, geometry, dataCache } = this.#machine;
    const { pageSize } = geometry;
    const inPage = bytes % pageSize;
    const index = Math.floor(bytes / pageSize);
    this.#notePage(object, index, Access.read);
    const last = object.cached.get(index);
    if (inPage === 0 || last === undefined) return;
    if (sched.interleaving) yield sched.at(ObjectKind.frameContents, last, Access.write);
    dataCache?.flushFrame(last as number as Pfn);
    memory.frames.bytes.fill(0, last * pageSize + inPage, (last + 1) * pageSize);
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
    if (object === undefined) return sigbus;
    const { sched } = this.#machine;
    if (sched.interleaving) yield sched.at(ObjectKind.cell, object.sizeCell, Access.read);
    if (fault.pgoff >= object.pages) return sigbus;
    let page = object.cached.get(fault.pgoff);
    this.#notePage(object, fault.pgoff, page === undefined ? Access.write : Access.read);
    if (page === undefined) {
      page = this.#machine.memory.pages.allocZeroedPage(owners.pageCache);
      if (page === undefined) return oom;
      object.cached.set(fault.pgoff, page);
    }
    return (yield* this.#machine.tryGetPage(page)) ? mapPage(page) : retryNow;
  }

  *#release(file: OpenFile): Sleepable<void> {
    this.#machine.sched.note(ObjectKind.cell, file.inode.cell, Access.read);
    if (file.inode.opens > 1) return;
    const object = this.#objects.get(file.inode);
    if (object === undefined) return;
    for (const page of object.cached.values()) yield* this.#machine.putPage(page);
    this.#objects.delete(file.inode);
  }

  /** Notes that the step under way looks for a page in the cache, or puts it there or takes it out. */
  #notePage(object: MemoryObject, index: number, access: Access): void {
    const { sched } = this.#machine;
    if (sched.interleaving) sched.note(ObjectKind.slot, slotIndex(object.sizeCell, index), access);
  }
}
