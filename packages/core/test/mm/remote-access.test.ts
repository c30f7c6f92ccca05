import { describe, expect, test } from "vitest";
import { VM_READ } from "../../src/contract/area-flags.ts";
import { EFAULT, EINVAL, ESRCH } from "../../src/contract/errno.ts";
import type { UserAddress } from "../../src/contract/units.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import { map, mapAnonymous, TestDevice } from "../support/test-device.ts";
import { ok, runProgram, started, World } from "../support/world.ts";

/** A card whose areas a debugger can reach. */
function debuggable(world: World): TestDevice {
  return new TestDevice(world, {
    ioPages: 2,
    mmap: (area, self) => self.remap(area),
    ops: { access: (...args) => world.kernel.mappings.accessPhys(...args) },
  });
}

describe("process_vm_readv and process_vm_writev", () => {
  test("MUST move bytes between processes, across pages, with what is copied on write", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 2);
          const edge = at + world.page - 4;
          yield* thread.store64(edge, 0x1122334455667788n);
          const child = yield* thread.fork(function* (own) {
            yield* own.nanosleep(100);
            expect(yield* own.load(edge)).toBe(0x04030201);
            yield* own.nanosleep(100);
          });
          if (typeof child === "number") throw new Error("no child");
          const buffer = new Uint8Array(8);
          expect(yield* thread.processVmReadv(child, edge, buffer)).toBe(8);
          expect([...buffer]).toEqual([0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11]);
          expect(yield* thread.processVmWritev(child, edge, Uint8Array.of(1, 2, 3, 4, 5))).toBe(5);
          expect(yield* thread.load64(edge)).toBe(0x1122334455667788n);
          yield* thread.nanosleep(150);
          expect(yield* thread.processVmReadv(child, edge + 4, buffer)).toBe(8);
          expect(buffer[0]).toBe(5);
          yield* child.waitForEnd();
          expect(yield* thread.processVmReadv(child, edge, buffer)).toBe(-ESRCH);
        },
    );
  });

  test("MUST keep to the permissions: EFAULT, or what came before", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 2);
          ok(yield* thread.mprotect(at + world.page, world.page, VM_READ));
          const bytes = Uint8Array.of(1, 2, 3, 4);
          expect(yield* thread.processVmWritev(thread.process, at + world.page, bytes)).toBe(-EFAULT);
          expect(yield* thread.processVmWritev(thread.process, at + world.page - 2, bytes)).toBe(2);
          expect(yield* thread.processVmReadv(thread.process, 0x1000, bytes)).toBe(-EFAULT);
        },
    );
  });

  test("PF-07 of a bare pfn area MUST be EFAULT, though it has an access hook", () => {
    runProgram((world) => {
      const device = debuggable(world);
      return function* (thread) {
        const at = yield* map(thread, device, { pages: 2 });
        expect(yield* thread.processVmReadv(thread.process, at, new Uint8Array(4))).toBe(-EFAULT);
        expect(device.registers.accesses).toEqual([]);
      };
    });
  });
});

describe("a debugger", () => {
  test("PF-08 MUST reach a bare pfn area through the access op, and not without", () => {
    runProgram((world) => {
      const device = debuggable(world);
      const closed = new TestDevice(world, {
        path: "/dev/closed",
        ioPages: 1,
        mmap: (area, self) => self.remap(area),
      });
      return function* (thread) {
        const at = yield* map(thread, device, { pages: 2 });
        device.registers.written.set(4, 0x01020304);
        expect([...(yield* thread.proc().readMemory(at + 4, 4))]).toEqual([4, 3, 2, 1]);
        expect(yield* thread.proc().writeMemory(at + world.page, Uint8Array.of(9, 0, 0, 0))).toBe(4);
        expect(device.registers.written.get(world.page)).toBe(9);
        expect(yield* thread.proc().readMemory(at + world.page - 2, 4)).toHaveLength(4);
        const other = yield* map(thread, closed);
        expect(yield* thread.proc().readMemory(other, 4)).toHaveLength(0);
      };
    });
  });

  test("PF-08 MUST get nothing where the driver has taken its entries away, nor write what is read-only", () => {
    runProgram((world) => {
      const device = debuggable(world);
      return function* (thread) {
        const at = yield* map(thread, device, { pages: 2, protection: VM_READ });
        expect(yield* thread.proc().writeMemory(at, Uint8Array.of(1))).toBe(0);
        yield* world.kernel.mappings.unmapMappingRange(device.inode.mapping, 0, 0, "even-cows");
        expect(yield* thread.proc().readMemory(at, 4)).toHaveLength(0);
        expect(device.registers.accesses).toEqual([]);
      };
    });
  });

  test("PF-08 MUST read RAM behind bare pfns, and ones where nothing answers", () => {
    runProgram((world) => {
      const { memory } = world.machine;
      const device = new TestDevice(world, {
        pages: 1,
        mmap: (area, self) => {
          const pfn = area.pgoff === 0 ? self.pages[0]! : 2 ** 30;
          return world.kernel.mappings.remapPfnRange(area, {
            address: area.start,
            pfn: pfn as never,
            pages: 1,
            leaves: "single",
          });
        },
        ops: { access: (...args) => world.kernel.mappings.accessPhys(...args) },
      });
      return function* (thread) {
        const at = yield* map(thread, device);
        expect(yield* thread.proc().writeMemory(at + 8, Uint8Array.of(5))).toBe(1);
        expect(memory.frames.bytes[device.pages[0]! * world.page + 8]).toBe(5);
        expect([...(yield* thread.proc().readMemory(at + 8, 1))]).toEqual([5]);
        const nowhere = yield* map(thread, device, { pages: 1, pgoff: 1 });
        expect([...(yield* thread.proc().readMemory(nowhere, 2))]).toEqual([0xff, 0xff]);
      };
    });
  });

  test("GP-07 MUST write read-only private memory into a copy, and never shared memory", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 1 });
      return function* (thread) {
        const own = yield* map(thread, device, { sharing: "private", protection: VM_READ });
        const shared = yield* map(thread, device, { protection: VM_READ });
        expect(yield* thread.proc().writeMemory(own, Uint8Array.of(7))).toBe(1);
        expect(yield* thread.load(own, 1)).toBe(7);
        expect(yield* thread.proc().writeMemory(shared, Uint8Array.of(7))).toBe(0);
        expect(device.word(0)).toBe(0x1000);
        expect([...(yield* thread.proc().readMemory(shared, 2))]).toEqual([0x00, 0x10]);
      };
    });
  });

  test("MUST see nothing of a process that is gone", () => {
    runProgram(
      () =>
        function* (thread) {
          const child = yield* thread.fork(function* () {});
          if (typeof child === "number") throw new Error("no child");
          yield* child.waitForEnd();
          expect(yield* thread.proc(child).readMemory(0x1000, 4)).toHaveLength(0);
        },
    );
  });

  test("that meets an access op which answers nonsense or throws is told nothing, and the driver is reported", () => {
    for (const access of [
      () => 1000,
      (): number => {
        throw new Error("no");
      },
    ]) {
      const world = new World();
      const device = new TestDevice(world, {
        ioPages: 1,
        mmap: (area, self) => self.remap(area),
        ops: { access },
      });
      world.run(function* (thread) {
        const at = yield* map(thread, device, { pages: 1 });
        expect(yield* thread.proc().readMemory(at, 4)).toHaveLength(0);
      });
      world.finish("contract");
    }
  });

  test("PF-08 MUST never reach a register through an entry that is gone, over random schedules", () => {
    for (let seed = 0; seed < 100; seed++) {
      const world = new World({ chooser: randomChooser(seed) });
      const device = debuggable(world);
      world.run(function* (thread) {
        const at = yield* map(thread, device, { pages: 2 });
        let isQuiet = false;
        const reader = started(
          thread.spawn(function* (own) {
            for (let round = 0; round < 4; round++) {
              const was = isQuiet;
              const before = device.registers.accesses.length;
              yield* own.proc().readMemory(at, 4);
              if (was) expect(device.registers.accesses.length).toBe(before);
            }
          }),
        );
        yield* world.kernel.mappings.unmapMappingRange(device.inode.mapping, 0, 0, "even-cows");
        isQuiet = true;
        while (reader.isAlive) yield* thread.nanosleep(10);
      });
      world.finish();
    }
  });
});

describe("accessPhys", () => {
  test("of an area of pages MUST be refused with EINVAL", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 1 });
      return function* (thread) {
        const at = yield* map(thread, device);
        const area = thread.mm.areas.find(at)!;
        const buffer = new Uint8Array(4);
        expect(yield* world.kernel.mappings.accessPhys(area, at as UserAddress, buffer, "read")).toBe(
          -EINVAL,
        );
      };
    });
  });
});
