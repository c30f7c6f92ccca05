import {
  areaFlagNames,
  EINVAL,
  type GeometryName,
  geometries,
  isTrap,
  type KernelAddress,
  type MappingStrategy,
  owners,
  type Page,
  randomChooser,
} from "@nopage/core";
import {
  createTestDevice,
  createTestWorld,
  entriesOf,
  mapTestDevice,
  markOf,
  runPrograms,
  takeStock,
} from "@nopage/testkit";
import { describe, expect, test } from "vitest";
import { seedsBelow } from "../../../../tools/exploration.ts";
import { lazyNopage } from "../src/index.ts";

const strategy: MappingStrategy = lazyNopage;

describe("I/O memory", () => {
  test("MUST be mapped as VM_IO and VM_MIXEDMAP, and not VM_PFNMAP, so that mremap may grow it", () => {
    const { device, run } = createTestWorld({ strategy, backing: "pfn-run" });
    run(function* (thread) {
      const area = thread.mm.areas.find(yield* mapTestDevice(thread, device));
      const names = areaFlagNames(area?.flags ?? 0);
      expect(names).toEqual(expect.arrayContaining(["io", "mm"]));
      expect(names).not.toContain("pf");
      expect(names).not.toContain("de");
    });
  });

  test.each([0, 3])(
    "PF-01 a run of RAM that has struct pages MUST be refused from page %d on",
    (firstPage) => {
      const { machine, kernel, run } = createTestWorld({ strategy, backing: "page-array" });
      const pfn = machine.memory.pages.getFreePages(2, "split", owners.driver) as Page;
      const device = createTestDevice(machine, kernel, strategy, {
        path: "/dev/ram",
        memory: { kind: "pfn-run", pfn },
        pages: 4,
      });
      const before = takeStock(machine);
      machine.spawn("p", function* (thread) {
        expect(yield* mapTestDevice(thread, device, { firstPage })).toBe(-EINVAL);
      });
      runPrograms(machine, before);
      for (let at = 0; at < 4; at++) machine.memory.frames.put((pfn + at) as Page);
      run(function* () {});
    },
  );

  test("a run of RAM without struct pages MUST be shown, and counted nowhere", () => {
    const options = { pagelessPages: 8, coherentMemory: "without-page" } as const;
    const { machine, kernel, run } = createTestWorld({ strategy, backing: "pfn-run", machine: options });
    const buffer = machine.memory.coherent.dmaAllocCoherent(2 * 4096);
    if (buffer === undefined) throw new Error("no coherent memory");
    machine.memory.kernel.store32((buffer.cpuAddress + 4096) as KernelAddress, 77);
    const memory = { kind: "pfn-run", pfn: buffer.pfn } as const;
    const device = createTestDevice(machine, kernel, strategy, { path: "/dev/pageless", memory, pages: 2 });
    machine.spawn("p", function* (thread) {
      const address = yield* mapTestDevice(thread, device);
      expect(yield* thread.load(address + 4096)).toBe(77);
      expect(thread.mm.rss).toBe(0);
    });
    machine.sched.run();
    machine.memory.coherent.dmaFreeCoherent(buffer);
    run(function* () {});
  });
});

describe("an array of pages", () => {
  test("FR-01 FR-12 a page touched by two threads at once MUST get one entry and one reference more", () => {
    for (const seed of seedsBelow(1000)) {
      const machine = { chooser: randomChooser(seed) };
      const {
        device,
        run,
        shown,
        machine: { memory },
      } = createTestWorld({ strategy, backing: "page-array", machine });
      const page = (shown.memory.kind === "page-array" ? shown.memory.list[1] : 0) as Page;
      run(function* (thread) {
        const address = yield* mapTestDevice(thread, device);
        const touch = function* (other: typeof thread) {
          expect(yield* other.load(address + 4096)).toBe(markOf(1));
        };
        thread.spawn(touch);
        yield* touch(thread);
        yield* thread.nanosleep(1000);
        expect({ seed, references: memory.frames.refcount[page] }).toEqual({ seed, references: 2 });
        expect(memory.frames.mapcount[page]).toBe(1);
      });
    }
  }, 60_000);

  test.each(["a page of a slab", "a page inside a bare block", "a page that is free"])(
    "LK-03 LK-06 RC-04 %s MUST be SIGBUS, again and again, and MUST change no count",
    (what) => {
      const { machine, kernel, run } = createTestWorld({ strategy, backing: "page-array" });
      const { memory } = machine;
      const object = memory.kmalloc.kmalloc(512) as KernelAddress;
      const block = memory.pages.getFreePages(1, "bare", owners.driver) as Page;
      const free = memory.pages.allocPage(owners.driver) as Page;
      memory.frames.put(free);
      const pages: Record<string, Page> = {
        "a page of a slab": memory.directMap.virtToPage(object),
        "a page inside a bare block": (block + 1) as Page,
        "a page that is free": free,
      };
      const list = [pages[what]];
      const device = createTestDevice(machine, kernel, strategy, {
        path: "/dev/odd",
        memory: { kind: "page-array", list },
        pages: 1,
      });
      const before = takeStock(machine);
      machine.spawn("p", function* (thread) {
        const address = yield* mapTestDevice(thread, device);
        for (let round = 0; round < 3; round++) expect(isTrap(yield* thread.load(address))).toBe(true);
        expect(entriesOf(machine, device)).toBe(0);
      });
      runPrograms(machine, before);
      memory.kmalloc.kfree(object);
      memory.pages.freePages(block, 1);
      run(function* () {});
    },
  );
});

test("an area MUST be SIGBUS when its memory is replaced by another kind, and right again when it is back", () => {
  const { device, run, shown } = createTestWorld({ strategy, backing: "page-array" });
  run(function* (thread) {
    const address = yield* mapTestDevice(thread, device);
    const memory = { kind: "pfn-run", pfn: 0x80000 } as never;
    yield* device.binding.replace(memory, 4, function* () {});
    expect(isTrap(yield* thread.load(address))).toBe(true);
    yield* device.binding.replace(shown.memory, 4, function* () {});
    expect(yield* thread.load(address)).toBe(markOf(0));
  });
});

test.each(Object.keys(geometries) as GeometryName[])(
  "on %s every page MUST show at its place",
  (geometry) => {
    for (const backing of strategy.supports.backing) {
      const { device, run } = createTestWorld({ strategy, backing, machine: { geometry } });
      run(function* (thread) {
        const address = yield* mapTestDevice(thread, device, { firstPage: 1 });
        for (let page = 0; page < 3; page++) {
          expect(yield* thread.load(address + page * thread.mm.pageSize)).toBe(markOf(page + 1));
        }
      });
    }
  },
);
