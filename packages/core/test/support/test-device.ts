import type { Area } from "../../src/contract/area.ts";
import type { MaySleep, Sleepable } from "../../src/contract/execution.ts";
import type { FileOperations, MappableArea, OpenMode } from "../../src/contract/file.ts";
import { type FaultOutcome, mapPage, sigbus } from "../../src/contract/outcome.ts";
import type { Page, Pfn } from "../../src/contract/units.ts";
import type { Fault, VmOps } from "../../src/contract/vm-ops.ts";
import type { Inode } from "../../src/device/inode.ts";
import type { IoDevice } from "../../src/memory/io-ranges.ts";
import { owners } from "../../src/memory/owners.ts";
import type { MmapRequest } from "../../src/mm/mmap.ts";
import type { UserThread } from "../../src/user/user-thread.ts";
import { ok, RW, type World } from "./world.ts";

/** What a test changes about its device. */
export interface TestDeviceShape {
  readonly path?: string;
  /** Pages of RAM that it owns; page `n` begins with the word `0x1000 + n`. */
  readonly pages?: number;
  /** Pages of I/O memory; reading offset `n` gives `n`, unless it was written. */
  readonly ioPages?: number;
  /** Hooks that replace or add to the recording ones. */
  readonly ops?: Partial<VmOps>;
  /** The mmap hook; without one the area gets the device's operations. `null` for a device without. */
  readonly mmap?: ((area: MappableArea, device: TestDevice) => MaySleep<number>) | null;
  readonly file?: Partial<FileOperations>;
}

/** Registers of a card, as plain as can be. */
export class RegisterBank implements IoDevice {
  readonly written = new Map<number, number>();
  readonly accesses: string[] = [];
  isRecording = true;

  read(offset: number, width: 1 | 2 | 4): number {
    if (this.isRecording) this.accesses.push(`read ${offset} ${width}`);
    return this.written.get(offset) ?? offset;
  }

  write(offset: number, width: 1 | 2 | 4, value: number): void {
    if (this.isRecording) this.accesses.push(`write ${offset} ${width} ${value}`);
    this.written.set(offset, value);
  }
}

/**
 * A driver for tests: it owns pages, shows them by `nopage`, and records every hook that is called with the object
 * pages that it was called for.
 */
export class TestDevice {
  readonly world: World;
  readonly path: string;
  readonly inode: Inode;
  readonly pages: Page[] = [];
  readonly registers = new RegisterBank();
  readonly ioPfn: Pfn;
  /** Hooks called, such as `open [0, 3)`. */
  readonly calls: string[] = [];
  /** Areas of this device that exist, as the driver counts them: itself at mmap, then open and close. */
  mapped = 0;
  readonly ops: VmOps;

  constructor(world: World, shape: TestDeviceShape = {}) {
    this.world = world;
    this.path = shape.path ?? "/dev/test";
    const { memory, devices } = world.machine;
    for (let index = 0; index < (shape.pages ?? 0); index++) this.addPage();
    this.ioPfn = this.#claim(shape.ioPages ?? 0);
    this.ops = {
      name: "test device",
      open: (area) => {
        this.mapped++;
        this.calls.push(`open ${shown(area)}`);
      },
      close: (area) => {
        this.mapped--;
        this.calls.push(`close ${shown(area)}`);
      },
      nopage: (fault) => this.#nopage(fault),
      ...shape.ops,
    };
    const inode = devices.register(this.path, {
      name: "test device",
      owner: undefined,
      release: () => {
        this.calls.push("release");
      },
      ...(shape.mmap === null ? {} : { mmap: (_file, area) => this.#mmap(area, shape.mmap) }),
      ...shape.file,
    });
    if (typeof inode === "number") throw new Error(`${this.path} is taken`);
    this.inode = inode;
    world.atEnd(() => {
      devices.unregister(this.path);
      for (const page of this.pages) memory.frames.put(page);
    });
  }

  /** One page more at the end of the object. */
  addPage(): Page {
    const { memory } = this.world.machine;
    const page = memory.pages.allocZeroedPage(owners.driver);
    if (page === undefined) throw new Error("no page for the test device");
    memory.frames.view.setUint32(page * memory.frames.pageSize, 0x1000 + this.pages.length, true);
    memory.frames.markWritten(page, 0, 4);
    this.pages.push(page);
    return page;
  }

  /** References of its pages beyond its own. */
  get extraReferences(): readonly number[] {
    const { frames } = this.world.machine.memory;
    return this.pages.map((page) => frames.refcount[page] - 1);
  }

  /** The first word of its page `index`, as the device itself sees it. */
  word(index: number): number {
    const { frames } = this.world.machine.memory;
    return frames.view.getUint32(this.pages[index] * frames.pageSize, true);
  }

  /** What was called since the last look. */
  takeCalls(): string[] {
    return this.calls.splice(0);
  }

  /** Maps its I/O memory with bare entries, as a driver does in its mmap hook. */
  *remap(area: Area, leaves: "single" | "large" = "single"): Sleepable<number> {
    const { mappings } = this.world.kernel;
    const pfn = (this.ioPfn + area.pgoff) as Pfn;
    return yield* mappings.remapPfnRange(area, { address: area.start, pfn, pages: area.pages, leaves });
  }

  /** Maps its pages one by one with counted entries, as a driver does in its mmap hook. */
  *insertAll(area: Area): Sleepable<number> {
    for (let index = 0; index < area.pages; index++) {
      const page = this.pages[area.pgoff + index];
      if (page === undefined) return -22;
      const address = (area.start + index * this.world.page) as Area["start"];
      const result = yield* this.world.kernel.mappings.insertPage(area, address, page);
      if (result !== 0) return result;
    }
    return 0;
  }

  *#mmap(area: MappableArea, hook: TestDeviceShape["mmap"]): Sleepable<number> {
    this.calls.push(`mmap ${shown(area)}`);
    area.ops = this.ops;
    const answer = hook?.(area, this) ?? 0;
    const result = typeof answer === "number" ? answer : yield* answer;
    if (result === 0) this.mapped++;
    return result;
  }

  #nopage(fault: Fault): FaultOutcome {
    this.calls.push(`nopage ${fault.pgoff} ${fault.access}`);
    const page = this.pages[fault.pgoff];
    if (page === undefined) return sigbus;
    this.world.machine.memory.frames.get(page);
    return mapPage(page);
  }

  #claim(pages: number): Pfn {
    if (pages === 0) return 0 as Pfn;
    const { io } = this.world.machine.memory;
    const range = io.claim("test registers", pages, this.registers);
    if (typeof range === "number") throw new Error("no window for the test device");
    this.world.atEnd(() => io.release(range));
    return range.startPfn;
  }
}

function shown(area: Area): string {
  return `[${area.pgoff}, ${area.pgoff + area.pages})`;
}

/** How a test maps its device; in pages. */
export type MapShape = Partial<Omit<MmapRequest, "file" | "length">> & { readonly pages?: number };

/** Opens the device: a descriptor. */
export function* openDevice(
  thread: UserThread,
  device: TestDevice,
  mode: OpenMode = "read-write",
): Sleepable<number> {
  return ok(yield* thread.open({ path: device.path, mode, blocking: "blocking" }));
}

/** Opens and maps the device, and closes the descriptor again: the address, or the errno of mmap. */
export function* tryMap(thread: UserThread, device: TestDevice, shape: MapShape = {}): Sleepable<number> {
  const descriptor = yield* openDevice(thread, device);
  const { pages = Math.max(device.pages.length, 1), ...rest } = shape;
  const length = pages * device.world.page;
  const result = yield* thread.mmap({ protection: RW, sharing: "shared", ...rest, length, descriptor });
  yield* thread.close(descriptor);
  return result;
}

/** The same, and it must succeed. */
export function* map(thread: UserThread, device: TestDevice, shape: MapShape = {}): Sleepable<number> {
  return ok(yield* tryMap(thread, device, shape));
}

/** Maps anonymous memory, which must succeed; in pages. */
export function* mapAnonymous(thread: UserThread, pages: number, shape: MapShape = {}): Sleepable<number> {
  const length = pages * thread.machine.geometry.pageSize;
  return ok(yield* thread.mmap({ protection: RW, sharing: "private", ...shape, length }));
}

/** A device whose nopage hook is the test's. */
export function answering(
  world: World,
  nopage: (fault: Fault, device: TestDevice) => MaySleep<FaultOutcome>,
) {
  const device: TestDevice = new TestDevice(world, {
    pages: 4,
    ops: { nopage: (fault) => nopage(fault, device) },
  });
  return device;
}
