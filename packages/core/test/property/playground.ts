import { expect } from "vitest";
import { VM_READ, VM_WRITE } from "../../src/contract/area-flags.ts";
import { EFAULT, EINVAL, ENOMEM } from "../../src/contract/errno.ts";
import type { Sleepable } from "../../src/contract/execution.ts";
import type { Page, UserAddress } from "../../src/contract/units.ts";
import type { MachineOptions } from "../../src/machine-options.ts";
import type { UserThread } from "../../src/user/user-thread.ts";
import { TestDevice } from "../support/test-device.ts";
import { ok, RW, trapOf, World } from "../support/world.ts";
import { MemoryModel, type ModelObject } from "./memory-model.ts";
import { OBJECT_PAGES, type Operation, prelude, WINDOW } from "./operations.ts";

/** Where the window lies: high enough to be clear of page 0, on every geometry. */
const WINDOW_START = 2 ** 24;

/** A machine with a device, its registers and a memory file, beside models of all of them. */
export class Playground {
  readonly world: World;
  readonly device: TestDevice;
  readonly registers: TestDevice;
  readonly #objects: Record<"file" | "device" | "registers", ModelObject>;
  readonly #page: number;
  /** The models of all address spaces at present: a revoke reaches every one. */
  readonly models = new Set<MemoryModel>();

  constructor(options: MachineOptions = {}) {
    this.world = new World({ ramPages: 160, ...options });
    const { page } = this.world;
    this.#page = page;
    this.device = new TestDevice(this.world, { path: "/dev/pages", pages: OBJECT_PAGES });
    this.registers = new TestDevice(this.world, {
      path: "/dev/registers",
      ioPages: OBJECT_PAGES,
      mmap: (area, self) => self.remap(area),
      ops: { nopage: () => ({ kind: "sigbus" }) },
    });
    this.registers.registers.isRecording = false;
    const object = (kind: ModelObject["kind"], initial: (index: number) => number): ModelObject => ({
      kind,
      words: new Map(),
      initial,
      pages: OBJECT_PAGES,
    });
    this.#objects = {
      file: object("memory", () => 0),
      device: object("pages", (index) => 0x1000 + index),
      registers: object("registers", (index) => index * page),
    };
  }

  address(at: number): number {
    return WINDOW_START + at * this.#page;
  }

  /** Runs a program in a process of its own, with the model beside it, and checks both after every operation. */
  *run(thread: UserThread, program: readonly Operation[]): Sleepable<void> {
    const file = ok(yield* thread.memfdCreate("file"));
    ok(yield* thread.ftruncate(file, OBJECT_PAGES * this.#page));
    const files = {
      file,
      device: yield* this.#open(thread, this.device),
      registers: yield* this.#open(thread, this.registers),
    };
    const model = new MemoryModel();
    this.models.add(model);
    yield* this.#go(thread, model, files, [...prelude, ...program]);
    this.models.delete(model);
  }

  *#go(
    thread: UserThread,
    model: MemoryModel,
    files: Readonly<Record<"file" | "device" | "registers", number>>,
    program: readonly Operation[],
  ): Sleepable<void> {
    for (const operation of program) {
      if (operation.kind === "fork") {
        const copy = model.fork();
        this.models.add(copy);
        const child = yield* thread.fork((own) => this.#go(own, copy, files, operation.child));
        if (typeof child === "number") throw new Error(`fork answered ${child}`);
        yield* child.waitForEnd();
        this.models.delete(copy);
      } else {
        const expected = yield* this.#apply(thread, model, files, operation);
        expect(expected.got, JSON.stringify(operation)).toEqual(expected.wanted);
      }
      this.world.expectAgreement();
      this.#expectAreas(thread, model);
    }
    for (let at = 0; at < WINDOW; at++)
      expect(short(yield* thread.load(this.address(at))), `page ${at}`).toBe(model.load(at));
    this.world.expectAgreement();
  }

  *#apply(
    thread: UserThread,
    model: MemoryModel,
    files: Readonly<Record<"file" | "device" | "registers", number>>,
    operation: Exclude<Operation, { kind: "fork" }>,
  ): Sleepable<{ readonly got: unknown; readonly wanted: unknown }> {
    const page = this.#page;
    switch (operation.kind) {
      case "map": {
        const { of, sharing, protection } = operation;
        const isAnonymous = of === "anonymous";
        const first = isAnonymous ? 0 : operation.first;
        const count = Math.min(operation.pages, WINDOW - operation.at, OBJECT_PAGES - first);
        const got = yield* thread.mmap({
          address: this.address(operation.at),
          length: count * page,
          protection,
          sharing,
          placement: "fixed",
          pgoff: first,
          ...(isAnonymous ? {} : { descriptor: files[of] }),
        });
        const shared: ModelObject = { kind: "memory", words: new Map(), initial: () => 0, pages: count };
        const object = isAnonymous ? (sharing === "shared" ? shared : undefined) : this.#objects[of];
        model.map(operation.at, count, { protection, sharing, object }, first);
        return { got, wanted: this.address(operation.at) };
      }
      case "unmap":
        model.unmap(operation.at, operation.pages);
        return { got: yield* thread.munmap(this.address(operation.at), operation.pages * page), wanted: 0 };
      case "protect": {
        const wanted = model.protect(operation.at, operation.pages, operation.protection);
        const got = yield* thread.mprotect(
          this.address(operation.at),
          operation.pages * page,
          operation.protection,
        );
        return { got, wanted };
      }
      case "discard": {
        const wanted = model.discard(operation.at, operation.pages);
        return {
          got: yield* thread.madvise(this.address(operation.at), operation.pages * page, "dontneed"),
          wanted,
        };
      }
      case "lock": {
        const wanted = model.lock(operation.at, operation.pages);
        return { got: yield* thread.mlock(this.address(operation.at), operation.pages * page), wanted };
      }
      case "unlock": {
        const wanted = model.unlock(operation.at, operation.pages);
        return { got: yield* thread.munlock(this.address(operation.at), operation.pages * page), wanted };
      }
      case "pin":
        return yield* this.#pin(thread, model, operation);
      case "move":
        return yield* this.#move(thread, model, operation);
      case "grow":
        return yield* this.#grow(thread, model, operation);
      case "load": {
        const wanted = model.load(operation.at);
        return { got: short(yield* thread.load(this.address(operation.at))), wanted };
      }
      case "store": {
        const wanted = model.store(operation.at, operation.value);
        const got = yield* thread.store(this.address(operation.at), operation.value);
        return { got: got === undefined ? undefined : trapOf(got), wanted };
      }
      case "truncate": {
        const { file } = this.#objects;
        for (let index = operation.pages; index < file.pages; index++) file.words.delete(index);
        if (operation.pages < file.pages) {
          for (const other of this.models) other.revoke(file, operation.pages, OBJECT_PAGES, "even-cows");
        }
        file.pages = operation.pages;
        return { got: yield* thread.ftruncate(files.file, operation.pages * page), wanted: 0 };
      }
      case "revoke": {
        const target = operation.of === "device" ? this.device : this.registers;
        const count = operation.pages === 0 ? OBJECT_PAGES : operation.pages;
        for (const other of this.models)
          other.revoke(this.#objects[operation.of], operation.first, count, operation.reach);
        yield* this.world.kernel.mappings.unmapMappingRange(
          target.inode.mapping,
          operation.first,
          operation.pages,
          operation.reach,
        );
        return { got: 0, wanted: 0 };
      }
    }
  }

  /** A move to a fixed place; whether the range is one area, the machine is believed. */
  *#move(
    thread: UserThread,
    model: MemoryModel,
    { at, pages, to }: Extract<Operation, { kind: "move" }>,
  ): Sleepable<{ readonly got: unknown; readonly wanted: unknown }> {
    const from = this.address(at);
    const target = this.address(to);
    const length = pages * this.#page;
    const area = thread.mm.areas.find(from);
    const isOneArea = area !== undefined && from + length <= area.end;
    const overlaps = from + length > target && target + length > from;
    const got = yield* thread.mremap({
      address: from,
      oldLength: length,
      newLength: length,
      moving: "may-move",
      newAddress: target,
    });
    if (area === undefined) return { got, wanted: -EFAULT };
    if (overlaps) return { got, wanted: -EINVAL };
    if (isOneArea) model.move(at, to, pages);
    else model.unmap(to, pages);
    return { got, wanted: isOneArea ? target : -EFAULT };
  }

  *#grow(
    thread: UserThread,
    model: MemoryModel,
    { at, pages, more }: Extract<Operation, { kind: "grow" }>,
  ): Sleepable<{ readonly got: unknown; readonly wanted: unknown }> {
    const from = this.address(at);
    const oldLength = pages * this.#page;
    const area = thread.mm.areas.find(from);
    const end = area?.end;
    const got = yield* thread.mremap({ address: from, oldLength, newLength: oldLength + more * this.#page });
    if (area === undefined || end === undefined || from + oldLength > end) return { got, wanted: -EFAULT };
    const last = model.pages.get(at + pages - 1);
    if (last === undefined || last.object?.kind === "registers") return { got, wanted: -EFAULT };
    const isFree = Array.from({ length: more }, (_, index) => at + pages + index).every(
      (next) => !model.pages.has(next),
    );
    if (from + oldLength !== end || !isFree) return { got, wanted: -ENOMEM };
    for (let index = 0; index < more; index++) {
      const page = { ...last, index: last.index + 1 + index, copy: undefined, isZapped: false };
      model.pages.set(at + pages + index, page);
    }
    for (let index = 0; index < more && last.isLocked; index++) if (!model.bringIn(at + pages + index)) break;
    return { got, wanted: from };
  }

  /** Pins a page, changes it as a device would, forks meanwhile, and lets go of it. */
  *#pin(
    thread: UserThread,
    model: MemoryModel,
    { at, access }: Extract<Operation, { kind: "pin" }>,
  ): Sleepable<{ readonly got: unknown; readonly wanted: unknown }> {
    const { user } = this.world.kernel;
    const { frames } = this.world.machine.memory;
    const page = model.pages.get(at);
    const needed = access === "write" ? VM_WRITE : VM_READ;
    const seen = model.load(at);
    const isPossible =
      page !== undefined &&
      page.object?.kind !== "registers" &&
      (page.protection & needed) !== 0 &&
      typeof seen === "number";
    const request = { access, hold: "pin", permission: "checked" } as const;
    const pages = yield* user.getPages(thread.mm, this.address(at) as UserAddress, 1, request);
    if (typeof pages === "number" || !isPossible)
      return { got: pages, wanted: isPossible ? "pages" : -EFAULT };
    const [frame] = pages as readonly [Page];
    expect(frames.view.getUint32(frame * this.#page, true)).toBe(seen);
    if (access === "write") {
      const value = (seen ^ 0x00ff_ff00) >>> 0;
      frames.view.setUint32(frame * this.#page, value, true);
      frames.markWritten(frame, 0, 4);
      model.store(at, value);
    }
    const child = yield* thread.fork(function* () {});
    if (typeof child === "number") throw new Error(`fork answered ${child}`);
    yield* child.waitForEnd();
    yield* user.releasePage(thread.mm, frame, "pin", access === "write" ? "dirty" : "clean");
    return { got: 0, wanted: 0 };
  }

  /** The areas of the machine are the pages of the model, with the same protection. */
  #expectAreas(thread: UserThread, model: MemoryModel): void {
    const shown: [number, number][] = [];
    for (const area of thread.mm.areas.all()) {
      for (let page = 0; page < area.pages; page++) {
        shown.push([(area.start - WINDOW_START) / this.#page + page, area.flags & RW]);
      }
    }
    const wanted = [...model.pages].map(([at, { protection }]): [number, number] => [at, protection]);
    expect(shown).toEqual(wanted.sort(([one], [other]) => one - other));
  }

  *#open(thread: UserThread, device: TestDevice): Sleepable<number> {
    return ok(yield* thread.open({ path: device.path, mode: "read-write", blocking: "blocking" }));
  }
}

function short(result: unknown): unknown {
  return typeof result === "number" ? result : trapOf(result);
}
