import {
  type BackingKind,
  type BackingMemory,
  type KernelAddress,
  type Machine,
  ObjectKind,
  owners,
  type Page,
  PointAccess,
} from "@nopage/core";
import { HIDDEN, markOf } from "./mark.ts";
import { claimMarkedWindow } from "./marked-window.ts";

/** Memory for a test device, of any kind, each page beginning with its mark. */
export interface ShownMemory {
  readonly memory: BackingMemory;
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
  const shown = showKind(machine, kind, pages, holes);
  let hidings = 0;
  return {
    ...shown,
    hide() {
      if (hidings++ === 0) shown.hide();
    },
    reveal() {
      if (--hidings === 0) shown.reveal();
    },
  };
}

function showKind(machine: Machine, kind: BackingKind, pages: number, holes: readonly number[]): ShownMemory {
  if (holes.length > 0 && kind !== "page-array") throw new Error(`memory of kind ${kind} has no holes`);
  switch (kind) {
    case "pfn-run":
      return showWindow(machine, pages);
    case "page-array":
      return showPages(machine, pages, holes);
    case "linear": {
      const order = Math.ceil(Math.log2(pages));
      const page = taken(machine.memory.pages.getFreePages(order, "compound", owners.driver));
      for (let at = 0; at < 2 ** order; at++) machine.memory.frames.clear((page + at) as Page);
      const address = machine.memory.directMap.addressOf(page);
      return showBuffer(machine, { kind, address }, pages, () => machine.memory.pages.freePages(page, order));
    }
    case "vmalloc": {
      const { vmalloc } = machine.memory;
      const address = taken(vmalloc.vmallocUser(pages * machine.geometry.pageSize));
      return showBuffer(machine, { kind, address }, pages, () => vmalloc.vfree(address));
    }
    case "coherent": {
      const { coherent } = machine.memory;
      const buffer = taken(coherent.dmaAllocCoherent(pages * machine.geometry.pageSize));
      const { cpuAddress: address, busAddress } = buffer;
      return showBuffer(machine, { kind, address, busAddress }, pages, () =>
        coherent.dmaFreeCoherent(buffer),
      );
    }
  }
}

function showWindow(machine: Machine, pages: number): ShownMemory {
  const window = claimMarkedWindow(machine, pages);
  return {
    memory: { kind: "pfn-run", pfn: window.range.startPfn },
    pages,
    hide: () => window.forbid(),
    reveal: () => window.allow(),
    peek: (page) => window.peek(page),
    poke: (page, value) => window.poke(page, value),
    trespasses: window.trespasses,
    release: () => machine.memory.io.release(window.range),
  };
}

function showPages(machine: Machine, pages: number, holes: readonly number[]): ShownMemory {
  const list = Array.from({ length: pages }, (_, index): Page | undefined =>
    holes.includes(index) ? undefined : taken(machine.memory.pages.allocZeroedPage(owners.driver)),
  );
  const addressOf = (index: number): KernelAddress | undefined => {
    const page = list[index];
    return page === undefined ? undefined : machine.memory.directMap.addressOf(page);
  };
  return {
    ...marked(machine, pages, addressOf),
    memory: { kind: "page-array", list },
    release: () => {
      for (const page of list) if (page !== undefined) machine.memory.frames.put(page);
    },
  };
}

function showBuffer(
  machine: Machine,
  memory: BackingMemory & { readonly address: KernelAddress },
  pages: number,
  release: () => void,
): ShownMemory {
  const { pageSize } = machine.geometry;
  const addressOf = (index: number) => (memory.address + index * pageSize) as KernelAddress;
  return { ...marked(machine, pages, addressOf), memory, release };
}

/** Memory that the kernel reaches by addresses; a page without one is a hole, and reads as 0. */
function marked(
  machine: Machine,
  pages: number,
  addressOf: (index: number) => KernelAddress | undefined,
): Omit<ShownMemory, "memory" | "release"> {
  const { kernel } = machine.memory;
  const note = (address: KernelAddress, access: PointAccess): void =>
    machine.sched.note(ObjectKind.frameContents, kernel.pfnOf(address), access);
  const peek = (index: number): number => {
    const address = addressOf(index);
    if (address === undefined) return 0;
    note(address, PointAccess.read);
    return kernel.load32(address);
  };
  const poke = (index: number, value: number): void => {
    const address = addressOf(index);
    if (address === undefined) return;
    note(address, PointAccess.write);
    kernel.store32(address, value);
  };
  let hidden: number[] = [];
  for (let index = 0; index < pages; index++) poke(index, markOf(index));
  return {
    pages,
    peek,
    poke,
    hide() {
      hidden = Array.from({ length: pages }, (_, index) => peek(index));
      for (let index = 0; index < pages; index++) poke(index, HIDDEN);
    },
    reveal() {
      hidden.forEach((word, index) => {
        poke(index, word);
      });
    },
    trespasses: [],
  };
}

function taken<T>(allocated: T | undefined): T {
  if (allocated === undefined) throw new Error("the test's machine is out of memory");
  return allocated;
}
