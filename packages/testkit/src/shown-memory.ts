import {
  type BackingKind,
  type BackingMemory,
  type KernelAddress,
  type Machine,
  owners,
  type Page,
} from "@nopage/core";
import { HIDDEN, markOf } from "./mark.ts";
import { claimMarkedWindow } from "./marked-window.ts";

/** Memory for a test device, of any kind, each page beginning with its mark. */
export interface ShownMemory {
  readonly memory: BackingMemory;
  readonly pages: number;
  /** The transfer begins: a touch of a register is a trespass, and RAM shows `HIDDEN` in place of its marks. */
  hide(): void;
  /** The transfer has ended: everything is as before `hide`. */
  reveal(): void;
  /** Touches of registers while they were hidden, in words. */
  readonly trespasses: readonly string[];
  /** Gives the memory back, as a driver does that is taken out. */
  release(): void;
}

/** Takes memory of a kind from the allocator that a driver would take it from, and marks it. */
export function showMemory(machine: Machine, kind: BackingKind, pages: number): ShownMemory {
  switch (kind) {
    case "pfn-run":
      return showWindow(machine, pages);
    case "page-array":
      return showPages(machine, pages);
    case "linear": {
      const order = Math.ceil(Math.log2(pages));
      const page = taken(machine.memory.pages.getFreePages(order, "compound", owners.driver));
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
    hide: () => {
      window.access = "forbidden";
    },
    reveal: () => {
      window.access = "allowed";
    },
    trespasses: window.trespasses,
    release: () => machine.memory.io.release(window.range),
  };
}

function showPages(machine: Machine, pages: number): ShownMemory {
  const list = Array.from(
    { length: pages },
    (): Page => taken(machine.memory.pages.allocZeroedPage(owners.driver)),
  );
  return {
    ...marked(machine, pages, (index) => machine.memory.directMap.addressOf(list[index] as Page)),
    memory: { kind: "page-array", list },
    release: () => {
      for (const page of list) machine.memory.frames.put(page);
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

function marked(machine: Machine, pages: number, addressOf: (index: number) => KernelAddress) {
  const write = (wordOf: (index: number) => number): void => {
    for (let index = 0; index < pages; index++) {
      machine.memory.kernel.store32(addressOf(index), wordOf(index));
    }
  };
  write(markOf);
  return { pages, hide: () => write(() => HIDDEN), reveal: () => write(markOf), trespasses: [] };
}

function taken<T>(allocated: T | undefined): T {
  if (allocated === undefined) throw new Error("the test's machine is out of memory");
  return allocated;
}
