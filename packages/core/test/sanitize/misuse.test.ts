import { describe, expect, test } from "vitest";
import { VM_PFNMAP } from "../../src/contract/area-flags.ts";
import type { Sleepable } from "../../src/contract/execution.ts";
import type { MappableArea } from "../../src/contract/file.ts";
import { mapPage } from "../../src/contract/outcome.ts";
import type { BusAddress, KernelAddress, Page } from "../../src/contract/units.ts";
import { DmaPort } from "../../src/device/dma-port.ts";
import { REFCOUNT_MAX } from "../../src/memory/frames.ts";
import { KernelFault } from "../../src/memory/kernel-fault.ts";
import { owners } from "../../src/memory/owners.ts";
import type { ViolationKind } from "../../src/sanitize/violation.ts";
import { answering, map, TestDevice, tryMap } from "../support/test-device.ts";
import { World } from "../support/world.ts";

/** Whether a rule is broken, or nearly so. */
type Way = "wrongly" | "rightly";

/** What a checker must report, and what is as near to it as can be, and right. */
interface Misuse {
  readonly kind: ViolationKind;
  readonly wrong: string;
  readonly right: string;
  commit(world: World, way: Way): void;
}

function onePage({ machine }: World): Page {
  const page = machine.memory.pages.allocPage(owners.driver);
  if (page === undefined) throw new Error("there is no page");
  return page;
}

function given(address: KernelAddress | undefined): KernelAddress {
  if (address === undefined) throw new Error("there is no memory");
  return address;
}

/** A driver does something to an area of one page in its mmap hook. */
function inMmap(world: World, hook: (area: MappableArea, device: TestDevice) => Sleepable<unknown>): void {
  const device: TestDevice = new TestDevice(world, {
    ioPages: 2,
    *mmap(area, self) {
      yield* hook(area, self);
      return 0;
    },
  });
  world.run(function* (thread) {
    yield* tryMap(thread, device);
  });
}

const misuses: readonly Misuse[] = [
  {
    kind: "refcount-overflow",
    wrong: "a reference more than the count has room for",
    right: "the last reference that it has room for",
    commit(world, way) {
      const page = onePage(world);
      const { frames } = world.machine.memory;
      frames.refcount[page] = way === "wrongly" ? REFCOUNT_MAX : REFCOUNT_MAX - 1;
      frames.get(page);
    },
  },
  {
    kind: "refcount-underflow",
    wrong: "a reference that is dropped twice",
    right: "two references that are dropped once each",
    commit(world, way) {
      const page = onePage(world);
      const { frames } = world.machine.memory;
      if (way === "rightly") frames.get(page);
      frames.put(page);
      frames.put(page);
    },
  },
  {
    kind: "page-kind",
    wrong: "virt_to_page of an address in the vmalloc area",
    right: "virt_to_page of an address in the direct map, and vmalloc_to_page of one in the vmalloc area",
    commit(world, way) {
      const { directMap, kmalloc, vmalloc } = world.machine.memory;
      const near = given(kmalloc.kmalloc(64));
      const far = given(vmalloc.vmalloc(64));
      directMap.virtToPage(near);
      if (way === "wrongly") expect(() => directMap.virtToPage(far)).toThrow(KernelFault);
      vmalloc.vmallocToPage(far);
    },
  },
  {
    kind: "use-after-free",
    wrong: "DMA into a page that its driver has freed",
    right: "DMA into a page that is freed afterwards",
    commit(world, way) {
      const page = onePage(world);
      const { machine } = world;
      const port = new DmaPort(machine, "card", 32);
      const bus = (page * world.page) as BusAddress;
      world.asKernel(function* () {
        if (way === "wrongly") machine.memory.frames.put(page);
        yield* port.write(bus, Uint8Array.of(1));
        if (way === "rightly") machine.memory.frames.put(page);
      });
    },
  },
  {
    kind: "remap-over-present",
    wrong: "a remap over entries that are there",
    right: "a remap over entries that were zapped",
    commit(world, way) {
      inMmap(world, function* (area, device) {
        yield* device.remap(area);
        if (way === "rightly") yield* world.kernel.mappings.zapVma(area, area.start, area.end);
        yield* device.remap(area);
      });
    },
  },
  {
    kind: "area-rule",
    wrong: "a bare pfn in an area without VM_PFNMAP",
    right: "a bare pfn in an area that has it",
    commit(world, way) {
      inMmap(world, function* (area, device) {
        if (way === "rightly") area.flags |= VM_PFNMAP;
        yield* world.kernel.mappings.insertPfn(area, area.start, device.ioPfn);
      });
    },
  },
  {
    kind: "contract",
    wrong: "a nopage hook that answers a page by a number that none has",
    right: "a nopage hook that answers a page of its own",
    commit(world, way) {
      const device = answering(world, ({ pgoff }, { pages }) => {
        const page = pages[pgoff] as Page;
        if (way === "rightly") world.machine.memory.frames.get(page);
        return mapPage(way === "wrongly" ? (-1 as Page) : page);
      });
      world.run(function* (thread) {
        yield* thread.load(yield* map(thread, device));
      });
    },
  },
];

describe.each(misuses)("$kind", ({ kind, wrong, right, commit }) => {
  test.each(["full", "brief"] as const)(`MUST be reported for ${wrong}, with %s reports`, (reports) => {
    const world = new World({ reports });
    commit(world, "wrongly");
    expect(world.machine.violations.list.map((violation) => violation.kind)).toEqual([kind]);
  });

  test(`MUST NOT be reported for ${right}`, () => {
    const world = new World();
    commit(world, "rightly");
    expect(world.messages).toEqual([]);
  });
});
