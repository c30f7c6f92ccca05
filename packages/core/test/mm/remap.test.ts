import { describe, expect, test } from "vitest";
import { areaFlagNames } from "../../src/contract/area-flags.ts";
import { EAGAIN, EINVAL, ENOMEM } from "../../src/contract/errno.ts";
import type { Sleepable } from "../../src/contract/execution.ts";
import type { MappableArea } from "../../src/contract/file.ts";
import type { Pfn } from "../../src/contract/units.ts";
import { owners } from "../../src/memory/owners.ts";
import { map, TestDevice, tryMap } from "../support/test-device.ts";
import { ok, runProgram, trapOf, World } from "../support/world.ts";

describe("remapPfnRange", () => {
  test("RE-01 MUST make every page accessible with no fault", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { ioPages: 8, mmap: (area, self) => self.remap(area) });
      return function* (thread) {
        const at = yield* map(thread, device, { pages: 8 });
        for (let page = 0; page < 8; page++)
          expect(yield* thread.load(at + page * world.page + 4)).toBe(page * world.page + 4);
        yield* thread.store(at, 77, 2);
        expect(device.registers.accesses.at(-1)).toBe("write 0 2 77");
        expect(thread.minorFaults).toBe(0);
        world.expectAgreement();
      };
    });
  });

  test("RE-02 MUST mark the area io pf de dd", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { ioPages: 2, mmap: (area, self) => self.remap(area) });
      return function* (thread) {
        const at = yield* map(thread, device, { pages: 2 });
        expect(areaFlagNames(thread.mm.areas.find(at)?.flags ?? 0).join(" ")).toBe(
          "rd wr sh mr mw me ms pf io de dd",
        );
      };
    });
  });

  /** What remap answers in a mmap hook that asks for something. */
  function answerTo(
    ask: (area: MappableArea, device: TestDevice) => Sleepable<number>,
    sharing: "shared" | "private" = "shared",
  ): { readonly result: number; readonly world: World } {
    const world = new World({ pagelessPages: 8 });
    let result = 1;
    const device: TestDevice = new TestDevice(world, {
      ioPages: 4,
      *mmap(area, self) {
        result = yield* ask(area, self);
        return result;
      },
    });
    world.run(function* (thread) {
      const at = yield* tryMap(thread, device, { pages: 4, sharing });
      if (at < 0) {
        expect(thread.mm.areas.size).toBe(0);
        expect(world.machine.tables.tablesInUse).toBe(2);
      }
      world.expectAgreement();
    });
    return { result, world };
  }

  test("RE-06 an unaligned address and a range outside the area MUST be refused with EINVAL", () => {
    const asks: ((area: MappableArea, device: TestDevice) => object)[] = [
      (area) => ({ address: area.start + 1, pages: 1 }),
      (area) => ({ address: area.start, pages: 5 }),
      (area) => ({ address: area.start - 4096, pages: 1 }),
      (area) => ({ address: area.start, pages: 0 }),
      (area) => ({ address: area.start, pages: 1, pfn: -1 }),
      (area) => ({ address: area.start, pages: 1, pfn: 2 ** 40 }),
      (area) => ({ address: area.start, pages: 1, pfn: 1.5 }),
    ];
    for (const ask of asks) {
      const { result, world } = answerTo(function* (area, device) {
        const request = { pfn: device.ioPfn, leaves: "single", ...ask(area, device) };
        return yield* world0(device).mappings.remapPfnRange(area, request as never);
      });
      expect(result).toBe(-EINVAL);
      world.finish();
    }
  });

  function world0(device: TestDevice) {
    return device.world.kernel;
  }

  test("RE-03 of part of a private writable area MUST be refused, of all of it sets pgoff to the first frame", () => {
    const part = answerTo(function* (area, device) {
      const request = { address: area.start, pfn: device.ioPfn, pages: 2, leaves: "single" } as const;
      return yield* device.world.kernel.mappings.remapPfnRange(area, request);
    }, "private");
    expect(part.result).toBe(-EINVAL);
    part.world.finish();
    runProgram((world) => {
      const device = new TestDevice(world, { ioPages: 4, mmap: (area, self) => self.remap(area) });
      return function* (thread) {
        const at = yield* map(thread, device, { pages: 4, sharing: "private" });
        const area = thread.mm.areas.find(at);
        expect(area?.pgoff).toBe(device.ioPfn);
        expect(device.inode.mapping.areasShowing(device.ioPfn, 1)).toEqual([area]);
        expect(device.inode.mapping.areasShowing(0, 4)).toEqual([]);
        world.expectAgreement();
      };
    });
  });

  test.each(["single", "large"] as const)(
    "RE-04 over a present entry MUST be reported, and leaves it (%s leaves)",
    (leaves) => {
      const world = new World();
      const device: TestDevice = new TestDevice(world, {
        ioPages: 1024,
        *mmap(area, self) {
          ok(yield* self.remap(area, leaves));
          const { mappings } = world.kernel;
          const shifted = (self.ioPfn + 512) as Pfn;
          return yield* mappings.remapPfnRange(area, {
            address: area.start,
            pfn: shifted,
            pages: 512,
            leaves,
          });
        },
      });
      world.run(function* (thread) {
        const at = yield* map(thread, device, { pages: 512 });
        expect(yield* thread.load(at)).toBe(0);
      });
      expect(new Set(world.machine.violations.list.map(({ kind }) => kind))).toEqual(
        new Set(["remap-over-present"]),
      );
      world.finish(...world.machine.violations.list.map(({ kind }) => kind));
    },
  );

  test("RE-05 that fails half-way MUST leave no entry", () => {
    let given = 100;
    const world = new World({ allocations: { mayAllocate: (site) => site !== "page-table" || given-- > 0 } });
    const device: TestDevice = new TestDevice(world, {
      ioPages: 1024,
      *mmap(area, self) {
        given = 3;
        const result = yield* self.remap(area);
        given = 100;
        expect(result).toBe(-ENOMEM);
        for (let page = 0; page < 1024; page++) {
          expect(area.mm.table.entryOf(area.start / 4096 + page)).toBe(0);
        }
        return result;
      },
    });
    world.run(function* (thread) {
      expect(yield* tryMap(thread, device, { pages: 1024 })).toBe(-ENOMEM);
    });
    world.finish();
  });

  test("RE-07 MUST take no reference, no rss and no reverse mapping of a page, though the frame has one", () => {
    runProgram((world) => {
      const { memory } = world.machine;
      const page = memory.pages.allocZeroedPage(owners.driver)!;
      world.atEnd(() => {
        memory.frames.put(page);
      });
      const device = new TestDevice(world, {
        mmap: (area) =>
          world.kernel.mappings.remapPfnRange(area, {
            address: area.start,
            pfn: page,
            pages: 1,
            leaves: "single",
          }),
      });
      return function* (thread) {
        const at = yield* map(thread, device, { pages: 1 });
        yield* thread.store(at, 5);
        expect(memory.frames.view.getUint32(page * world.page, true)).toBe(5);
        expect([memory.frames.refcount[page], memory.frames.mapcount[page], thread.mm.rss]).toEqual([
          1, 0, 0,
        ]);
        ok(yield* thread.munmap(at, world.page));
        expect(memory.frames.refcount[page]).toBe(1);
      };
    });
  });

  test("AT-04 that would change the flags without the mmap lock for writing MUST be reported", () => {
    const world = new World();
    const device: TestDevice = new TestDevice(world, {
      ioPages: 1,
      ops: {
        *nopage(fault) {
          ok(yield* device.remap(fault.area));
          return { kind: "installed" };
        },
      },
    });
    world.run(function* (thread) {
      const at = yield* map(thread, device, { pages: 1 });
      expect(yield* thread.load(at)).toBe(0);
    });
    expect(world.messages[0]).toMatch(/changes its flags without the mmap lock held for writing$/);
    world.finish("area-rule");
  });

  test("PF-10 in a fault MUST be possible where the mmap hook has set the flags, once", () => {
    runProgram((world) => {
      let populated = 0;
      const device: TestDevice = new TestDevice(world, {
        ioPages: 4,
        ops: {
          *nopage(fault) {
            populated++;
            ok(yield* device.remap(fault.area));
            return { kind: "installed" };
          },
        },
        mmap: (area) => {
          area.flags |= 0x400_4400 | 0x4_0000;
          return 0;
        },
      });
      return function* (thread) {
        const at = yield* map(thread, device, { pages: 4 });
        for (let page = 0; page < 4; page++) yield* thread.load(at + page * world.page);
        expect(populated).toBe(1);
        expect(thread.minorFaults).toBe(1);
      };
    });
  });

  test("while the gate of what it shows is closed MUST be refused with EAGAIN", () => {
    runProgram((world) => {
      const gate = world.machine.createGate("test");
      const device: TestDevice = new TestDevice(world, {
        ioPages: 2,
        *mmap(area, self) {
          area.backing = { gate, mapping: self.inode.mapping, pages: 2, name: "test" } as never;
          return yield* self.remap(area);
        },
      });
      return function* (thread) {
        yield* gate.close();
        expect(yield* tryMap(thread, device, { pages: 2 })).toBe(-EAGAIN);
        yield* gate.open();
        const at = yield* map(thread, device, { pages: 2 });
        expect(yield* thread.load(at)).toBe(0);
      };
    });
  });
});

describe("large leaves", () => {
  test("MUST be used where both addresses and the length allow, and pages of their edges are single", () => {
    runProgram((world) => {
      const device = new TestDevice(world, {
        ioPages: 2048,
        mmap: (area, self) => self.remap(area, "large"),
      });
      return function* (thread) {
        const before = world.machine.tables.writes;
        const at = yield* map(thread, device, { pages: 1100, pgoff: 0 });
        expect(world.machine.tables.writes - before).toBeLessThan(100);
        for (const page of [0, 511, 512, 1023, 1024, 1099]) {
          expect(yield* thread.load(at + page * world.page)).toBe(page * world.page);
        }
        expect(thread.minorFaults).toBe(0);
        world.expectAgreement();
        ok(yield* thread.munmap(at + 100 * world.page, 600 * world.page));
        expect(yield* thread.load(at + 99 * world.page)).toBe(99 * world.page);
        expect(yield* thread.load(at + 700 * world.page)).toBe(700 * world.page);
        expect(trapOf(yield* thread.load(at + 512 * world.page))).toBe("SIGSEGV SEGV_MAPERR");
        world.expectAgreement();
      };
    });
  });

  test("MUST NOT be used where frames and addresses are not aligned alike", () => {
    runProgram((world) => {
      const device = new TestDevice(world, {
        ioPages: 2048,
        mmap: (area, self) => self.remap(area, "large"),
      });
      return function* (thread) {
        const at = yield* map(thread, device, { pages: 1024, pgoff: 3 });
        expect(thread.mm.table.find(at / world.page)).toBeGreaterThanOrEqual(0);
        expect(thread.mm.table.level).toBe(0);
        expect(yield* thread.load(at + 1023 * world.page)).toBe(1026 * world.page);
      };
    });
  });
});
