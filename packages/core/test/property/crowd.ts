import { expect } from "vitest";
import { ENOMEM } from "../../src/contract/errno.ts";
import type { Sleepable } from "../../src/contract/execution.ts";
import type { UserAddress } from "../../src/contract/units.ts";
import type { MachineOptions } from "../../src/machine-options.ts";
import type { UserThread } from "../../src/user/user-thread.ts";
import { TestDevice } from "../support/test-device.ts";
import { ok, World } from "../support/world.ts";
import { OBJECT_PAGES, type Operation, prelude, programOf, WINDOW } from "./operations.ts";

const WINDOW_START = 2 ** 24;

/** What a crowd is made of. */
export interface CrowdShape {
  readonly seed: number;
  readonly processes: number;
  readonly threads: number;
  readonly length: number;
  /** Whether everything is mapped privately, so that no process may see what another has written. */
  readonly sharing: "any" | "private";
}

type Descriptors = Readonly<Record<"file" | "device" | "registers", number>>;

/**
 * Several processes of several threads that run random programs at the same time. What a thread reads must be something
 * that was once written to what it reads, or the contents from the beginning; nothing else can be said of a race.
 */
export class Crowd {
  readonly world: World;
  readonly #device: TestDevice;
  readonly #registers: TestDevice;
  readonly #shape: CrowdShape;
  readonly #page: number;
  /** By value, the process that wrote it. */
  readonly #writers = new Map<number, UserThread["process"]>();
  readonly #parents = new Map<UserThread["process"], UserThread["process"]>();
  #next = 0x10_0000;

  constructor(shape: CrowdShape, options: MachineOptions) {
    this.#shape = shape;
    this.world = new World({ ramPages: 400, cpus: 3, stepLimit: 2_000_000, ...options });
    this.#page = this.world.page;
    this.#device = new TestDevice(this.world, { path: "/dev/pages", pages: OBJECT_PAGES });
    this.#registers = new TestDevice(this.world, {
      path: "/dev/registers",
      ioPages: OBJECT_PAGES,
      mmap: (area, self) => self.remap(area),
      ops: { nopage: () => ({ kind: "sigbus" }) },
    });
    this.#registers.registers.isRecording = false;
    for (let process = 0; process < shape.processes; process++) this.#spawn(process);
  }

  #spawn(index: number): void {
    const { seed, threads, length } = this.#shape;
    const program = (thread: number) => programOf(seed * 101 + index * 11 + thread, length);
    const crowd = this;
    this.world.spawn(function* (thread) {
      const file = yield* untilDone(() => thread.memfdCreate("file"));
      ok(yield* thread.ftruncate(file, OBJECT_PAGES * crowd.#page));
      const open = (path: string) =>
        untilDone(() => thread.open({ path, mode: "read-write", blocking: "blocking" }));
      const files = {
        file,
        device: yield* open("/dev/pages"),
        registers: yield* open("/dev/registers"),
      };
      yield* crowd.#perform(thread, files, prelude);
      for (let other = 1; other < threads; other++) {
        thread.spawn((own) => crowd.#perform(own, files, program(other)));
      }
      yield* crowd.#perform(thread, files, program(0));
    }, `process ${index}`);
  }

  *#perform(thread: UserThread, files: Descriptors, program: readonly Operation[]): Sleepable<void> {
    for (const operation of program) yield* this.#apply(thread, files, operation);
  }

  #address(at: number): number {
    return WINDOW_START + (at % WINDOW) * this.#page;
  }

  *#apply(thread: UserThread, files: Descriptors, operation: Operation): Sleepable<void> {
    const page = this.#page;
    const address = "at" in operation ? this.#address(operation.at) : 0;
    switch (operation.kind) {
      case "map": {
        const { of, protection } = operation;
        const sharing = this.#shape.sharing === "private" ? "private" : operation.sharing;
        const request = {
          address,
          length: operation.pages * page,
          protection,
          sharing,
          placement: "fixed",
        } as const;
        const source = of === "anonymous" ? {} : { descriptor: files[of], pgoff: 0 };
        yield* thread.mmap({ ...request, ...source });
        return;
      }
      case "unmap":
        yield* thread.munmap(address, operation.pages * page);
        return;
      case "protect":
        yield* thread.mprotect(address, operation.pages * page, operation.protection);
        return;
      case "discard":
        yield* thread.madvise(address, operation.pages * page, "dontneed");
        return;
      case "lock":
        yield* thread.mlock(address, operation.pages * page);
        return;
      case "unlock":
        yield* thread.munlock(address, operation.pages * page);
        return;
      case "pin": {
        const { user } = this.world.kernel;
        const request = { access: operation.access, hold: "pin", permission: "checked" } as const;
        const pages = yield* user.getPages(thread.mm, address as UserAddress, 2, request);
        if (typeof pages === "number") return;
        yield* thread.load(address);
        for (const held of pages) yield* user.releasePage(thread.mm, held, "pin", "clean");
        return;
      }
      case "move": {
        const length = operation.pages * page;
        const newAddress = this.#address(operation.to);
        yield* thread.mremap({
          address,
          oldLength: length,
          newLength: length,
          moving: "may-move",
          newAddress,
        });
        return;
      }
      case "grow": {
        const oldLength = operation.pages * page;
        yield* thread.mremap({ address, oldLength, newLength: oldLength + operation.more * page });
        return;
      }
      case "load":
        this.#check(thread, yield* thread.load(address));
        return;
      case "store": {
        const value = this.#next++;
        this.#writers.set(value, thread.process);
        yield* thread.store(address, value);
        return;
      }
      case "truncate":
        yield* thread.ftruncate(files.file, operation.pages * page);
        return;
      case "revoke": {
        const { mapping } = (operation.of === "device" ? this.#device : this.#registers).inode;
        const { first, pages, reach } = operation;
        yield* this.world.kernel.mappings.unmapMappingRange(mapping, first, pages, reach);
        return;
      }
      case "fork": {
        const child = yield* thread.fork((own) => {
          this.#parents.set(own.process, thread.process);
          return this.#perform(own, files, operation.child);
        });
        if (typeof child === "number") expect(child).toBe(-ENOMEM);
      }
    }
  }

  #check(thread: UserThread, seen: unknown): void {
    if (typeof seen !== "number" || seen === 0) return;
    const writer = this.#writers.get(seen);
    if (writer === undefined) {
      const isMark = seen >= 0x1000 && seen < 0x1000 + OBJECT_PAGES;
      const isRegister = seen % this.#page === 0 && seen < OBJECT_PAGES * this.#page;
      expect(isMark || isRegister, `${thread.name} sees 0x${seen.toString(16)}, which nobody wrote`).toBe(
        true,
      );
    } else if (this.#shape.sharing === "private") {
      let process: UserThread["process"] | undefined = thread.process;
      while (process !== undefined && process !== writer) process = this.#parents.get(process);
      expect(process, `${thread.name} sees what ${writer.name} wrote privately`).toBe(writer);
    }
  }

  /** Runs everybody to the end, and checks that all books agree and nothing is left. */
  run(): void {
    const { status, waiting } = this.world.run();
    expect(status, waiting.join("; ")).toBe("finished");
    this.world.finish();
  }
}

/** Repeats a call that may lack memory until it does not. */
function* untilDone(call: () => Sleepable<number>): Sleepable<number> {
  for (;;) {
    const result = yield* call();
    if (result >= 0) return result;
    expect(result).toBe(-ENOMEM);
  }
}
