import { describe, expect, it } from "vitest";
import { VM_PFNMAP } from "../../src/contract/area-flags.ts";
import type { Sleepable } from "../../src/contract/execution.ts";
import { DmaPort } from "../../src/device/dma-port.ts";
import { CACHE_COLOURS } from "../../src/mmu/virtual-cache.ts";
import type { UserThread } from "../../src/user/user-thread.ts";
import { map, mapAnonymous, TestDevice } from "../support/test-device.ts";
import { RW, World } from "../support/world.ts";

type Flushes = "on" | "left-out";

/** A machine whose data cache is indexed virtually, with the kernel's flushes or without. */
function aliasing(
  cacheFlushes: Flushes,
  program: (world: World, thread: UserThread) => Sleepable<void>,
): void {
  const world = new World({ dataCache: "virtually-indexed", cacheFlushes, ramPages: 128 });
  const { status } = world.run((thread) => program(world, thread));
  expect(status).toBe("finished");
  world.finish();
}

/** Two places for a page whose colours differ. */
const HERE = 2 ** 20;
const there = (world: World, colours = 1) => HERE + (CACHE_COLOURS + colours) * world.page;

/** What must be seen with the flush in place, and what is when it is missing. */
const both = [
  ["on", "new"],
  ["left-out", "stale"],
] as const;

describe("a data cache that is indexed virtually", () => {
  it("two mappings of one frame MUST disagree at different colours, and agree at the same", () => {
    aliasing("on", function* (world, thread) {
      const device = new TestDevice(world, { pages: 1 });
      const one = yield* map(thread, device, { address: HERE, placement: "fixed" });
      const other = yield* map(thread, device, { address: there(world), placement: "fixed" });
      const same = yield* map(thread, device, { address: there(world, 0), placement: "fixed" });
      yield* thread.load(one);
      yield* thread.load(other);
      yield* thread.load(same);
      yield* thread.store(one, 7);
      expect(yield* thread.load(same)).toBe(7);
      expect(yield* thread.load(other)).toBe(0x1000);
      expect(device.word(0)).toBe(0x1000);
    });
  });

  it.each(both)("a zap, flushes %s: the owner of the page MUST see what was stored (%s)", (flushes, seen) => {
    aliasing(flushes, function* (world, thread) {
      const device = new TestDevice(world, { pages: 1 });
      const one = yield* map(thread, device, { address: HERE, placement: "fixed" });
      yield* thread.store(one, 7);
      yield* thread.munmap(one, world.page);
      expect(device.word(0)).toBe(seen === "new" ? 7 : 0x1000);
    });
  });

  it.each(both)(
    "a page shown at a second address, flushes %s: MUST show what was stored at the first (%s)",
    (flushes, seen) => {
      aliasing(flushes, function* (world, thread) {
        const device = new TestDevice(world, { pages: 1 });
        const one = yield* map(thread, device, { address: HERE, placement: "fixed" });
        yield* thread.store(one, 7);
        const other = yield* map(thread, device, { address: there(world), placement: "fixed" });
        expect(yield* thread.load(other)).toBe(seen === "new" ? 7 : 0x1000);
      });
    },
  );

  it.each(both)(
    "a bare pfn shown at a second address, flushes %s: likewise (%s), the callback of the 2004 mail",
    (flushes, seen) => {
      aliasing(flushes, function* (world, thread) {
        const buffer = world.machine.memory.coherent.dmaAllocCoherent(world.page);
        if (buffer === undefined) throw new Error("no memory");
        const device = new TestDevice(world, {
          ops: { nopagePfn: () => ({ kind: "pfn", pfn: buffer.pfn }) },
          mmap: (area) => {
            area.flags |= VM_PFNMAP;
            return 0;
          },
        });
        const one = yield* map(thread, device, { address: HERE, placement: "fixed" });
        yield* thread.store(one, 7);
        const other = yield* map(thread, device, { address: there(world), placement: "fixed" });
        expect(yield* thread.load(other)).toBe(seen === "new" ? 7 : 0);
        yield* thread.munmap(one, world.page);
        yield* thread.munmap(other, world.page);
        world.machine.memory.coherent.dmaFreeCoherent(buffer);
      });
    },
  );

  it.each(both)(
    "mremap to another colour, flushes %s: MUST take along what was stored (%s)",
    (flushes, seen) => {
      aliasing(flushes, function* (world, thread) {
        const memory = yield* mapAnonymous(thread, 1, { address: HERE, placement: "fixed" });
        yield* thread.store(memory, 7);
        const moved = yield* thread.mremap({
          address: memory,
          oldLength: world.page,
          newLength: world.page,
          moving: "may-move",
          newAddress: there(world),
        });
        expect(yield* thread.load(moved)).toBe(seen === "new" ? 7 : 0);
      });
    },
  );

  it.each(both)("a copy after fork, flushes %s: MUST be a copy of what was stored (%s)", (flushes, seen) => {
    aliasing(flushes, function* (_world, thread) {
      const memory = yield* mapAnonymous(thread, 1, { address: HERE, placement: "fixed" });
      yield* thread.store(memory, 7);
      const child = yield* thread.fork(function* (own) {
        yield* own.store(memory + 4, 1);
        expect(yield* own.load(memory)).toBe(seen === "new" ? 7 : 0);
      });
      if (typeof child === "number") throw new Error("no fork");
      yield* child.waitForEnd();
    });
  });

  it.each(both)("DMA, flushes %s: MUST meet what was stored, and be seen (%s)", (flushes, seen) => {
    aliasing(flushes, function* (world, thread) {
      const { machine, kernel } = world;
      const memory = yield* mapAnonymous(thread, 1, { address: HERE, placement: "fixed" });
      yield* thread.store(memory, 7);
      const request = { access: "write", hold: "pin", permission: "checked" } as const;
      const pages = yield* kernel.user.getPages(thread.mm, memory as never, 1, request);
      if (typeof pages === "number") throw new Error("no pages");
      const port = new DmaPort(machine, "test", 32);
      const at = (pages[0]! * world.page) as never;
      const met = new Uint8Array(4);
      yield* port.read(at, met);
      expect(met[0]).toBe(seen === "new" ? 7 : 0);
      yield* port.write(at, Uint8Array.of(9, 0, 0, 0));
      expect(yield* thread.load(memory)).toBe(seen === "new" ? 9 : 7);
      yield* kernel.user.releasePage(thread.mm, pages[0]!, "pin", "dirty");
    });
  });

  it("more pages than the cache holds MUST be written back as they leave", () => {
    aliasing("on", function* (_world, thread) {
      const pages = 40;
      const memory = yield* mapAnonymous(thread, pages);
      const { pageSize } = thread.machine.geometry;
      for (let index = 0; index < pages; index++) yield* thread.store(memory + index * pageSize, index + 1);
      for (let index = 0; index < pages; index++) {
        expect(yield* thread.load(memory + index * pageSize)).toBe(index + 1);
      }
    });
  });

  it("a machine without one MUST have no trace of it", () => {
    const world = new World({ cacheFlushes: "left-out" });
    expect(world.machine.dataCache).toBeUndefined();
    world.run(function* (thread) {
      const device = new TestDevice(world, { pages: 1 });
      const one = yield* map(thread, device, { protection: RW });
      yield* thread.store(one, 7);
      expect(device.word(0)).toBe(7);
    });
    world.finish();
  });
});
