import {
  type BackingKind,
  type BackingMemory,
  EINVAL,
  ENXIO,
  type KernelAddress,
  type Machine,
  owners,
  type Page,
} from "@nopage/core";
import { HIDDEN, markOf } from "./mark.ts";
import { claimMarkedWindow, type MarkedWindow, REGISTER_BYTES } from "./marked-window.ts";

/** Memory for a test device, of any kind, each page beginning with its mark. */
export interface ShownMemory {
  readonly memory: BackingMemory;
  /** 0 once the memory was given back. */
  readonly pages: number;
  /**
   * The transfer begins: a touch of a register is a trespass, and RAM shows `HIDDEN` in place of its marks. Hidings count, as
   * closings of a gate do.
   */
  hide(): void;
  /** Undoes one `hide`; after the last one everything is as before the first. */
  reveal(): void;
  /** The first word of a page as its owner sees it. */
  peek(page: number): number;
  /** The owner stores the first word of a page. */
  poke(page: number, value: number): void;
  /** Touches of registers while they were hidden, in words. */
  readonly trespasses: readonly string[];
  /**
   * The driver moves bytes between the memory and a buffer of its own, in the step under way: those of one page, from the
   * byte `at` on.
   *
   * @returns how many: all; -ENXIO in a hole; -EINVAL for registers that are not moved whole
   */
  move(at: number, bytes: Uint8Array, direction: "read" | "write"): number;
  /** Gives the memory back, as a driver does that is taken out. */
  release(): void;
}

/**
 * Takes memory of a kind from the allocator that a driver would take it from, and marks it.
 *
 * @param holes pages that are left out, where the kind allows it
 */
export function showMemory(
  machine: Machine,
  kind: BackingKind,
  pages: number,
  holes: readonly number[] = [],
): ShownMemory {
  if (holes.length > 0 && kind !== "page-array") throw new Error(`memory of kind ${kind} has no holes`);
  switch (kind) {
    case "pfn-run":
      return new ShownWindow(machine, pages);
    case "page-array":
      return new ShownPages(machine, pages, holes);
    case "linear":
      return new ShownBlock(machine, pages);
    case "vmalloc":
      return new ShownArea(machine, pages);
    case "coherent":
      return new ShownCoherent(machine, pages);
  }
}

/** Registers of a device. */
class ShownWindow implements ShownMemory {
  readonly memory: BackingMemory;
  pages: number;
  readonly #machine: Machine;
  readonly #window: MarkedWindow;
  #hidings = 0;

  constructor(machine: Machine, pages: number) {
    this.#machine = machine;
    this.#window = claimMarkedWindow(machine, pages);
    this.memory = { kind: "pfn-run", pfn: this.#window.range.startPfn };
    this.pages = pages;
  }

  get trespasses(): readonly string[] {
    return this.#window.trespasses;
  }

  hide(): void {
    if (this.#hidings++ === 0) this.#window.forbid();
  }

  reveal(): void {
    if (--this.#hidings === 0) this.#window.allow();
  }

  peek(page: number): number {
    return this.#window.peek(page);
  }

  poke(page: number, value: number): void {
    this.#window.poke(page, value);
  }

  move(at: number, bytes: Uint8Array, direction: "read" | "write"): number {
    if (at % REGISTER_BYTES !== 0 || bytes.length % REGISTER_BYTES !== 0) return -EINVAL;
    const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let done = 0; done < bytes.length; done += REGISTER_BYTES) {
      if (direction === "read") words.setUint32(done, this.#window.read(at + done), true);
      else this.#window.write(at + done, words.getUint32(done, true));
    }
    return bytes.length;
  }

  release(): void {
    this.pages = 0;
    this.#machine.memory.io.release(this.#window.range);
  }
}

/** Memory that the kernel reaches by addresses; a page without one is a hole, and reads as 0. */
abstract class ShownRam implements ShownMemory {
  abstract readonly memory: BackingMemory;
  pages: number;
  readonly trespasses: readonly string[] = [];
  protected readonly machine: Machine;
  #hidings = 0;
  /** The first words of the pages while they are hidden. */
  #hidden: readonly number[] = [];

  constructor(machine: Machine, pages: number) {
    this.machine = machine;
    this.pages = pages;
  }

  protected abstract giveBack(): void;

  protected abstract addressOf(page: number): KernelAddress | undefined;

  /** Marks every page, once the memory is there. */
  protected mark(): void {
    for (let page = 0; page < this.pages; page++) this.poke(page, markOf(page));
  }

  hide(): void {
    if (this.#hidings++ > 0) return;
    this.#hidden = Array.from({ length: this.pages }, (_, page) => this.peek(page));
    for (let page = 0; page < this.pages; page++) this.poke(page, HIDDEN);
  }

  reveal(): void {
    if (--this.#hidings > 0) return;
    for (const [page, word] of this.#hidden.entries()) this.poke(page, word);
  }

  peek(page: number): number {
    const address = this.addressOf(page);
    return address === undefined ? 0 : this.machine.memory.kernel.load32(address);
  }

  poke(page: number, value: number): void {
    const address = this.addressOf(page);
    if (address !== undefined) this.machine.memory.kernel.store32(address, value);
  }

  move(at: number, bytes: Uint8Array, direction: "read" | "write"): number {
    const { geometry, memory } = this.machine;
    const page = this.addressOf(Math.floor(at / geometry.pageSize));
    if (page === undefined) return -ENXIO;
    const address = (page + (at % geometry.pageSize)) as KernelAddress;
    memory.kernel[direction](address, bytes);
    return bytes.length;
  }

  release(): void {
    this.pages = 0;
    this.giveBack();
  }
}

/** Pages, each on its own, with holes between them. */
class ShownPages extends ShownRam {
  readonly memory: BackingMemory;
  readonly #list: readonly (Page | undefined)[];

  constructor(machine: Machine, pages: number, holes: readonly number[]) {
    super(machine, pages);
    const list: (Page | undefined)[] = [];
    for (let page = 0; page < pages; page++) {
      const isHole = holes.includes(page);
      list.push(isHole ? undefined : taken(machine.memory.pages.allocZeroedPage(owners.driver)));
    }
    this.#list = list;
    this.memory = { kind: "page-array", list };
    this.mark();
  }

  protected override giveBack(): void {
    for (const page of this.#list) if (page !== undefined) this.machine.memory.pages.freePages(page, 0);
  }

  protected override addressOf(page: number): KernelAddress | undefined {
    const frame = this.#list[page];
    return frame === undefined ? undefined : this.machine.memory.directMap.addressOf(frame);
  }
}

/** Memory at consecutive addresses. */
abstract class ShownBuffer extends ShownRam {
  abstract override readonly memory: BackingMemory & { readonly address: KernelAddress };

  protected override addressOf(page: number): KernelAddress {
    return (this.memory.address + page * this.machine.geometry.pageSize) as KernelAddress;
  }
}

/** A block of the page allocator. */
class ShownBlock extends ShownBuffer {
  readonly memory: BackingMemory & { readonly address: KernelAddress };
  readonly #order: number;
  readonly #page: Page;

  constructor(machine: Machine, pages: number) {
    super(machine, pages);
    this.#order = Math.ceil(Math.log2(pages));
    this.#page = taken(machine.memory.pages.getFreePages(this.#order, "compound", owners.driver));
    for (let at = 0; at < 2 ** this.#order; at++) machine.memory.frames.clear((this.#page + at) as Page);
    this.memory = { kind: "linear", address: machine.memory.directMap.addressOf(this.#page) };
    this.mark();
  }

  protected override giveBack(): void {
    this.machine.memory.pages.freePages(this.#page, this.#order);
  }
}

/** A vmalloc area. */
class ShownArea extends ShownBuffer {
  readonly memory: BackingMemory & { readonly address: KernelAddress };

  constructor(machine: Machine, pages: number) {
    super(machine, pages);
    const { vmalloc } = machine.memory;
    this.memory = {
      kind: "vmalloc",
      address: taken(vmalloc.vmallocUser(pages * machine.geometry.pageSize)),
    };
    this.mark();
  }

  protected override giveBack(): void {
    this.machine.memory.vmalloc.vfree(this.memory.address);
  }
}

/** What the allocator of coherent memory gives. */
type CoherentBuffer = NonNullable<ReturnType<Machine["memory"]["coherent"]["dmaAllocCoherent"]>>;

/** Memory that a device reaches as well, without anybody flushing caches. */
class ShownCoherent extends ShownBuffer {
  readonly memory: BackingMemory & { readonly address: KernelAddress };
  readonly #buffer: CoherentBuffer;

  constructor(machine: Machine, pages: number) {
    super(machine, pages);
    const { coherent } = machine.memory;
    this.#buffer = taken(coherent.dmaAllocCoherent(pages * machine.geometry.pageSize));
    const { cpuAddress: address, busAddress } = this.#buffer;
    this.memory = { kind: "coherent", address, busAddress };
    this.mark();
  }

  protected override giveBack(): void {
    this.machine.memory.coherent.dmaFreeCoherent(this.#buffer);
  }
}

function taken<T>(allocated: T | undefined): T {
  if (allocated === undefined) throw new Error("the test's machine is out of memory");
  return allocated;
}
