import { describe, expect, test } from "vitest";
import { VM_PFNMAP } from "../../src/contract/area-flags.ts";
import type { Page } from "../../src/contract/units.ts";
import { owners } from "../../src/memory/owners.ts";
import { formatViolation } from "../../src/sanitize/format-violation.ts";
import { map, TestDevice } from "../support/test-device.ts";
import { World } from "../support/world.ts";

/** A world with one page of a driver, and a device that shows it by a bare entry from its nopage hook. */
function showingByPfn(contents: "cleared" | "as it was" = "cleared") {
  const world = new World({ eventLog: "on" });
  const { memory } = world.kernel;
  const page = memory.pages.allocPage(owners.driver) as Page;
  if (contents === "cleared") memory.frames.clear(page);
  const ops = {
    name: "driver",
    *nopage({ area, address }: Parameters<NonNullable<TestDevice["ops"]["nopage"]>>[0]) {
      return yield* world.kernel.mappings.insertPfn(area, address, page);
    },
  };
  const device = new TestDevice(world, {
    mmap: (area) => {
      area.ops = ops;
      area.flags |= VM_PFNMAP;
      return 0;
    },
  });
  return { world, page, device, memory };
}

describe("a frame that is used after it was freed", () => {
  test("is reported with who freed it, and both chains of callers", () => {
    const { world, page, device, memory } = showingByPfn();
    world.run(function* (thread) {
      const at = yield* map(thread, device);
      yield* thread.load(at);
      memory.pages.freePages(page, 0);
      yield* thread.load(at);
    });
    const [violation] = world.machine.violations.list;
    expect(violation).toMatchObject({
      kind: "use-after-free",
      object: expect.stringContaining(`page ${page} (free`),
      operation: { task: "p/0", cpu: 0, callers: [] },
      earlier: { what: "frees the frame", task: "p/0", cpu: 0, callers: ["freePages"] },
    });
    expect(violation?.events.map(({ name }) => name)).toContain("pte-set");
    world.finish("use-after-free");
  });

  test("and handed out anew is reported, once", () => {
    const { world, page, device, memory } = showingByPfn();
    world.run(function* (thread) {
      const at = yield* map(thread, device);
      yield* thread.load(at);
      memory.pages.freePages(page, 0);
      const next = memory.pages.allocZeroedPage(owners.driver) as Page;
      expect(next).toBe(page);
      yield* thread.load(at);
      yield* thread.load(at);
      memory.pages.freePages(next, 0);
    });
    expect(world.messages).toEqual([expect.stringContaining("which was freed and handed out anew")]);
    world.finish("use-after-free");
  });

  test("MUST NOT be reported when it was mapped anew after it had been handed out anew", () => {
    const { world, page, device, memory } = showingByPfn();
    world.run(function* (thread) {
      const at = yield* map(thread, device);
      yield* thread.load(at);
      yield* world.kernel.mappings.unmapMappingRange(device.inode.mapping, 0, 0, "shared-only");
      memory.pages.freePages(page, 0);
      expect(memory.pages.allocZeroedPage(owners.driver)).toBe(page);
      yield* thread.load(at);
    });
    memory.pages.freePages(page, 0);
    world.finish();
  });

  test("through a translation that outlived its entry is a stale one", () => {
    const { world, page, device, memory } = showingByPfn();
    world.run(function* (thread) {
      const at = yield* map(thread, device);
      yield* thread.load(at);
      const { table } = thread.mm;
      table.pool.write(table.find(at / world.page), 0);
      memory.pages.freePages(page, 0);
      expect(memory.pages.allocZeroedPage(owners.driver)).toBe(page);
      yield* thread.load(at);
    });
    memory.pages.freePages(page, 0);
    expect(world.messages).toEqual([
      expect.stringMatching(/^p\/0 loads from 0x[0-9a-f]+ through a stale translation to page/),
    ]);
    world.machine.tlbs[0]?.flushAll();
    world.finish("stale-tlb");
  });

  test("MUST NOT be reported when the translation was flushed with its entry", () => {
    const { world, page, device, memory } = showingByPfn();
    world.run(function* (thread) {
      const at = yield* map(thread, device);
      yield* thread.load(at);
      yield* thread.munmap(at, world.page);
      memory.pages.freePages(page, 0);
    });
    world.finish();
  });
});

describe("a frame that is freed twice", () => {
  test("is reported with who freed it first", () => {
    const { world, page, memory } = showingByPfn();
    world.asKernel(function* () {
      memory.pages.freePages(page, 0);
      memory.pages.freePages(page, 0);
    });
    expect(world.machine.violations.list[0]?.earlier).toMatchObject({
      what: "frees the frame",
      task: "kernel work",
      callers: ["freePages"],
    });
    world.finish("double-free");
  });

  test("MUST NOT be reported when it was handed out in between", () => {
    const { world, page, memory } = showingByPfn();
    memory.pages.freePages(page, 0);
    expect(memory.pages.allocPage(owners.driver)).toBe(page);
    memory.pages.freePages(page, 0);
    world.finish();
  });

  test("as an object of kmalloc is reported with who freed it first, and not when it was handed out in between", () => {
    const world = new World();
    const { kmalloc } = world.kernel.memory;
    world.asKernel(function* () {
      const address = kmalloc.kmalloc(64) ?? (0 as never);
      kmalloc.kfree(address);
      expect(kmalloc.kmalloc(64)).toBe(address);
      kmalloc.kfree(address);
      expect(world.messages).toEqual([]);
      kmalloc.kfree(address);
    });
    expect(world.machine.violations.list[0]).toMatchObject({
      kind: "double-free",
      object: expect.stringContaining("kmalloc memory at"),
      earlier: { what: "frees the object", callers: ["kfree"] },
    });
  });
});

describe("a page that is shown to user space", () => {
  test("and was never written since it was handed out is reported, with who took it", () => {
    const { world, page, device, memory } = showingByPfn("as it was");
    world.run(function* (thread) {
      const at = yield* map(thread, device);
      yield* thread.load(at);
      yield* thread.munmap(at, world.page);
    });
    memory.pages.freePages(page, 0);
    expect(world.machine.violations.list[0]).toMatchObject({
      kind: "uninitialised",
      operation: { callers: ["page fault", "driver.nopage", "insertPfn"] },
      earlier: { what: "hands the frame out", task: "boot" },
    });
    world.finish("uninitialised");
  });

  test("and was written in part is reported with how much", () => {
    const { world, page, device, memory } = showingByPfn("as it was");
    memory.kernel.fill(memory.directMap.addressOf(page), 7, 100);
    world.run(function* (thread) {
      yield* thread.load(yield* map(thread, device));
    });
    expect(world.messages).toEqual([expect.stringContaining("only the first 100 bytes of it")]);
    memory.pages.freePages(page, 0);
    world.finish("uninitialised");
  });

  test("MUST NOT be reported when all of it was written", () => {
    const { world, page, device, memory } = showingByPfn("as it was");
    memory.kernel.fill(memory.directMap.addressOf(page), 7, world.page);
    world.run(function* (thread) {
      yield* thread.load(yield* map(thread, device));
    });
    memory.pages.freePages(page, 0);
    world.finish();
  });
});

describe("a report in words", () => {
  test("names what was violated, the object, both operations with their callers, and the events around them", () => {
    const { world, page, device, memory } = showingByPfn("as it was");
    world.run(function* (thread) {
      yield* thread.load(yield* map(thread, device));
    });
    memory.pages.freePages(page, 0);
    const [violation] = world.machine.violations.list;
    const lines = violation === undefined ? [] : formatViolation(violation).split("\n");
    expect(lines).toEqual([
      expect.stringMatching(/^uninitialised by p\/0: page \d+ .* is shown to p at 0x/),
      expect.stringMatching(/^ {2}object: {2}page \d+ \(driver, 1 reference\)$/),
      "  now:     p/0 on CPU 0 at 0 ns, in page fault → driver.nopage → insertPfn",
      "  earlier: boot hands the frame out, outside of any task at 0 ns",
      "  events:",
      expect.stringMatching(/^ {4}#\d+ at 0 ns, task 0: /),
      expect.stringMatching(/^ {4}#\d+ at 0 ns, task 0: /),
      expect.stringMatching(/^ {4}#\d+ at 0 ns, task 0: /),
      expect.stringMatching(/^ {4}#\d+ at 0 ns, task 0: pte-set /),
    ]);
    world.finish("uninitialised");
  });

  test("MUST have no second operation on a machine that remembers nothing, and no events without a log", () => {
    const world = new World({ sanitizers: "cheap" });
    const page = world.machine.memory.pages.allocPage(owners.driver) as Page;
    world.machine.memory.pages.freePages(page, 0);
    world.machine.memory.pages.freePages(page, 0);
    expect(world.machine.violations.list).toMatchObject([
      { kind: "double-free", task: "boot", time: 0, earlier: undefined, events: [] },
    ]);
    world.finish("double-free");
  });
});
