import {
  areaFlagNames,
  createKernel,
  EFAULT,
  EINVAL,
  type GeometryName,
  geometries,
  isTrap,
  Machine,
  owners,
  type Page,
} from "@nopage/core";
import {
  createTestDevice,
  createTestWorld,
  mapTestDevice,
  markOf,
  runPrograms,
  takeStock,
} from "@nopage/testkit";
import { describe, expect, test } from "vitest";
import { pfnNopage } from "../src/index.ts";

const strategy = pfnNopage;

test("PF-05 the flags of an area MUST be set at mmap and MUST stay as they are through faults", () => {
  const { device, run } = createTestWorld({ strategy, backing: "pfn-run" });
  run(function* (thread) {
    const address = yield* mapTestDevice(thread, device);
    const area = thread.mm.areas.find(address);
    const before = area?.flags ?? 0;
    expect(areaFlagNames(before)).toEqual(expect.arrayContaining(["io", "pf", "de", "dd"]));
    yield* thread.store(address + 8, 1);
    expect(area?.flags).toBe(before);
  });
});

describe("RAM with struct pages", () => {
  test("PF-04 PF-07 MUST be shown without a count, and MUST NOT be given to get_user_pages", () => {
    const { machine, kernel, run } = createTestWorld({ strategy, backing: "pfn-run" });
    const { frames, pages } = machine.memory;
    const page = pages.allocZeroedPage(owners.driver) as Page;
    const memory = { kind: "pfn-run", pfn: page } as const;
    const device = createTestDevice(machine, kernel, strategy, { path: "/dev/ram", memory, pages: 1 });
    machine.spawn("p", function* (thread) {
      const address = yield* mapTestDevice(thread, device);
      yield* thread.store(address, 5);
      expect([frames.refcount[page], frames.mapcount[page], thread.mm.rss]).toEqual([1, 0, 0]);
      const request = { access: "read", hold: "reference", permission: "checked" } as const;
      const held = yield* kernel.user.getPages(thread.mm, address as never, 1, request);
      expect(held).toBe(-EFAULT);
      expect(frames.words[(page * 4096) / 4]).toBe(5);
    });
    machine.sched.run();
    frames.put(page);
    run(function* () {});
  });
});

test("PF-06 a page MUST have the same frame after it was zapped and touched again", () => {
  const { device, run } = createTestWorld({ strategy, backing: "coherent" });
  run(function* (thread) {
    const address = yield* mapTestDevice(thread, device);
    yield* thread.load(address + 4096);
    const frame = Math.floor(thread.mm.table.entryOf(address / 4096 + 1) / 4096);
    yield* device.binding.quiesce();
    yield* device.binding.resume();
    yield* thread.load(address + 4096);
    expect(Math.floor(thread.mm.table.entryOf(address / 4096 + 1) / 4096)).toBe(frame);
  });
});

describe("coherent memory", () => {
  test("LK-07 without struct page MUST show the right bytes", () => {
    const machine = { pagelessPages: 8, coherentMemory: "without-page" } as const;
    const { device, run } = createTestWorld({ strategy, backing: "coherent", machine });
    run(function* (thread) {
      const address = yield* mapTestDevice(thread, device);
      for (let page = 0; page < 4; page++)
        expect(yield* thread.load(address + page * 4096)).toBe(markOf(page));
    });
  });

  test("shorter than what is to be shown MUST be refused with EINVAL", () => {
    const { machine, kernel, shown, run } = createTestWorld({ strategy, backing: "coherent" });
    const device = createTestDevice(machine, kernel, strategy, {
      path: "/dev/long",
      memory: shown.memory,
      pages: 5,
    });
    run(function* (thread) {
      expect(yield* mapTestDevice(thread, device)).toBe(-EINVAL);
    });
  });

  test("LK-06 that is freed MUST be SIGBUS where it is not mapped yet", () => {
    const { machine, device, shown } = createTestWorld({ strategy, backing: "coherent" });
    const before = takeStock(machine);
    machine.spawn("p", function* (thread) {
      const address = yield* mapTestDevice(thread, device);
      yield* device.binding.quiesce();
      shown.release();
      yield* device.binding.resume();
      expect(isTrap(yield* thread.load(address))).toBe(true);
    });
    runPrograms(machine, {
      ...before,
      freeFrames: before.freeFrames + 4,
      references: before.references - 1,
    });
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

test("memory that it cannot show MUST be refused when it is bound, with what it can show", () => {
  const machine = new Machine();
  const memory = { kind: "vmalloc", address: 0 as never } as const;
  expect(() => createTestDevice(machine, createKernel(machine), strategy, { memory, pages: 0 })).toThrow(
    "pfn-nopage: create cannot show /dev/test, which is vmalloc; it shows pfn-run, coherent",
  );
});
