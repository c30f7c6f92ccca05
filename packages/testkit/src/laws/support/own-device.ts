import {
  type Fault,
  type FaultOutcome,
  type Kernel,
  type Machine,
  type MappableArea,
  type MayInterleave,
  type MaySleep,
  owners,
  type Page,
  sigbus,
  VM_READ,
  VM_WRITE,
  type VmOps,
} from "@nopage/core";
import { markOf } from "../../mark.ts";
import { succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { Piece } from "./shown-pages.ts";

const PATH = "/dev/own";
const PAGES = 4;

/** What a law changes about a device of its own. */
export interface OwnDeviceShape {
  /** Hooks that replace or add to the plain ones. */
  ops?(device: OwnDevice): Partial<VmOps>;
  /** What its mmap hook does before the operations are set: 0, or a negated errno. */
  mmap?(area: MappableArea, device: OwnDevice): MaySleep<number>;
  /** Whether it has a handler; it has where left out. */
  readonly faults?: "answered" | "not-answered";
}

/**
 * A driver of a law's own, for rules that the VM core keeps towards any driver: it owns four pages, each beginning with
 * its mark, and shows them by `nopage`. For model-only cases.
 */
export class OwnDevice {
  readonly machine: Machine;
  readonly kernel: Kernel;
  readonly pages: readonly Page[];
  /** Every question to the plain `nopage` hook. */
  readonly asked: { readonly address: number; readonly pgoff: number; readonly access: string }[] = [];

  constructor(machine: Machine, kernel: Kernel, shape: OwnDeviceShape) {
    this.machine = machine;
    this.kernel = kernel;
    this.pages = Array.from({ length: PAGES }, (_, index) => this.#markedPage(index));
    const ops: VmOps = {
      name: "own device",
      ...(shape.faults !== "not-answered" && { nopage: (fault) => this.#nopage(fault) }),
      ...shape.ops?.(this),
    };
    const device = this;
    const inode = machine.devices.register(PATH, {
      name: PATH,
      owner: undefined,
      *mmap(_file, area) {
        const answer = shape.mmap?.(area, device) ?? 0;
        const result = typeof answer === "number" ? answer : yield* answer;
        if (result === 0) area.ops = ops;
        return result;
      },
    });
    if (typeof inode === "number") throw new Error(`${PATH} is already registered`);
  }

  /** Maps `pages` of it from `first` on: the address, or a negated errno. */
  *map(mapping: OwnMapping = {}): Steps<number> {
    const { first = 0, pages = PAGES - first, sharing = "shared", fixedAt } = mapping;
    const descriptor = yield* succeed(
      "open",
      user.open({ path: PATH, mode: "read-write", blocking: "blocking" }),
    );
    const address = yield* user.mmap({
      length: pages * this.machine.geometry.pageSize,
      protection: mapping.protection ?? VM_READ | VM_WRITE,
      sharing,
      pgoff: first,
      descriptor,
      ...(fixedAt !== undefined && { address: fixedAt, placement: "fixed" }),
      ...(mapping.populating !== undefined && { populating: mapping.populating }),
    });
    yield* user.close(descriptor);
    return address;
  }

  /** Maps it, which must succeed. */
  *mapped(mapping: OwnMapping = {}): Steps<Piece> {
    const { first = 0, pages = PAGES - first } = mapping;
    return { address: yield* succeed("mmap of a plain device", this.map(mapping)), first, pages };
  }

  /** What page `index` begins with. */
  markOf(index: number): number {
    return markOf(index);
  }

  /** References to each page beside the driver's own. */
  extraReferences(): readonly number[] {
    return this.pages.map((page) => (this.machine.memory.frames.refcount[page] ?? 0) - 1);
  }

  /** Takes the driver out: its pages go back. */
  *release(): Steps<void> {
    const { machine, pages } = this;
    yield* user.kernel(function* () {
      machine.devices.unregister(PATH);
      for (const page of pages) yield* machine.putPage(page);
    });
  }

  #markedPage(index: number): Page {
    const { pages, kernel, directMap } = this.machine.memory;
    const page = pages.allocZeroedPage(owners.driver);
    if (page === undefined) throw new Error("the law's machine is out of memory");
    kernel.store32(directMap.addressOf(page), markOf(index));
    return page;
  }

  #nopage({ address, pgoff, access }: Fault): MayInterleave<FaultOutcome> {
    this.asked.push({ address, pgoff, access });
    const page = this.pages[pgoff];
    return page === undefined ? sigbus : this.kernel.pages.handOver(page);
  }
}

/** How a law maps a device of its own; all of it, shared and writable, where left out. */
export interface OwnMapping {
  readonly first?: number;
  readonly pages?: number;
  readonly protection?: number;
  readonly sharing?: "shared" | "private";
  readonly fixedAt?: number;
  readonly populating?: "on-demand" | "populate";
}

/** Makes a device in the kernel of the calling thread. */
export function* ownDevice(shape: OwnDeviceShape = {}): Steps<OwnDevice> {
  return yield* user.kernel(function* ({ machine, kernel }) {
    return new OwnDevice(machine, kernel, shape);
  });
}
