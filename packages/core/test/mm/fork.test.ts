import { describe, expect, test } from "vitest";
import { VM_DONTCOPY, VM_PFNMAP, VM_READ } from "../../src/contract/area-flags.ts";
import { ENOMEM } from "../../src/contract/errno.ts";
import type { UserAddress } from "../../src/contract/units.ts";
import type { Vma } from "../../src/mm/vma.ts";
import type { UserThread } from "../../src/user/user-thread.ts";
import { map, mapAnonymous, TestDevice } from "../support/test-device.ts";
import { inChild, ok, runProgram, trapOf, World } from "../support/world.ts";

describe("fork", () => {
  test("LC-03 MUST open each copy once: before the reverse map can find it and before it has entries", () => {
    runProgram((world) => {
      const seen: string[] = [];
      const device: TestDevice = new TestDevice(world, {
        pages: 2,
        ops: {
          open: (area) => {
            device.mapped++;
            const { mm, mapping, start } = area as Vma;
            const isFound = mapping?.areasShowing(0, 2).includes(area as Vma);
            seen.push(`found: ${isFound}, entry: ${mm.table.entryOf(start / world.page) !== 0}`);
          },
        },
        mmap: (area, self) => self.insertAll(area),
      });
      return function* (thread) {
        const at = yield* map(thread, device);
        yield* inChild(thread, function* (own) {
          expect(device.mapped).toBe(2);
          expect(own.mm.areas.find(at)?.start).toBe(at);
          expect(yield* own.load(at)).toBe(0x1000);
        });
        expect(seen).toEqual(["found: false, entry: false"]);
        expect(device.mapped).toBe(1);
      };
    });
  });

  test("LC-02 one plus opens minus closes MUST be the number of live areas through any sequence", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 6 });
      const live = (...threads: UserThread[]) =>
        threads.reduce(
          (sum, { mm }) => sum + mm.areas.all().filter((area) => area.file !== undefined).length,
          0,
        );
      return function* (thread) {
        const { page } = world;
        const at = yield* map(thread, device);
        const child = yield* thread.fork(function* (own) {
          expect(device.mapped).toBe(live(thread, own));
          ok(yield* own.munmap(at + page, page));
          expect(device.mapped).toBe(live(thread, own));
          ok(
            yield* own.mremap({
              address: at + 2 * page,
              oldLength: 2 * page,
              newLength: 2 * page,
              moving: "may-move",
              newAddress: 0x2000_0000,
            }),
          );
          expect(device.mapped).toBe(live(thread, own));
          ok(yield* own.mprotect(at + 5 * page, page, VM_READ));
          expect(device.mapped).toBe(live(thread, own));
          yield* inChild(own, function* (grandchild) {
            expect(device.mapped).toBe(live(thread, own, grandchild));
          });
          expect(device.mapped).toBe(live(thread, own));
          ok(yield* own.mremap({ address: at + 4 * page, oldLength: page, newLength: page }));
        });
        if (typeof child === "number") throw new Error("no child");
        yield* child.waitForEnd();
        expect(device.mapped).toBe(1);
        expect(device.calls).not.toContain("release");
        ok(yield* thread.munmap(at, 6 * page));
        expect(device.mapped).toBe(0);
        expect(device.calls.at(-1)).toBe("release");
      };
    });
  });

  test("LC-04 VM_DONTCOPY: the child MUST have no such area, and open MUST NOT be called", () => {
    runProgram((world) => {
      const device = new TestDevice(world, {
        pages: 1,
        mmap: (area) => {
          area.flags |= VM_DONTCOPY;
          return 0;
        },
      });
      return function* (thread) {
        const at = yield* map(thread, device);
        device.takeCalls();
        yield* inChild(thread, function* (own) {
          expect(trapOf(yield* own.load(at))).toBe("SIGSEGV SEGV_MAPERR");
          expect(own.mm.totalPages).toBe(0);
        });
        expect(device.takeCalls()).toEqual([]);
      };
    });
  });

  test("LC-04 MADV_DONTFORK and back MUST do the same from user space", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 2);
          ok(yield* thread.madvise(at, world.page, "dontfork"));
          yield* inChild(thread, function* (own) {
            expect(trapOf(yield* own.load(at))).toBe("SIGSEGV SEGV_MAPERR");
            expect(yield* own.load(at + world.page)).toBe(0);
          });
        },
    );
  });

  test("LC-05 that fails at any allocation MUST answer ENOMEM, with one close for each open and nothing left", () => {
    let failed = 0;
    for (let failAt = 1; failAt < 40; failAt++) {
      let countdown = Number.POSITIVE_INFINITY;
      const world = new World({ allocations: { mayAllocate: () => --countdown !== 0 } });
      const device: TestDevice = new TestDevice(world, {
        pages: 3,
        mmap: (area, self) => self.insertAll(area),
      });
      const lazy = new TestDevice(world, { path: "/dev/lazy", pages: 2 });
      world.run(function* (thread) {
        const at = yield* map(thread, device);
        yield* map(thread, lazy);
        const own = yield* mapAnonymous(thread, 3);
        for (let page = 0; page < 3; page++) yield* thread.store(own + page * world.page, page);
        yield* world.kernel.user.getPages(thread.mm, own as UserAddress, 1, {
          access: "write",
          hold: "pin",
          permission: "checked",
        });
        const pinned = world.machine.memory.frames;
        const page = [...thread.mm.areas.all()].length;
        const before = [
          device.mapped,
          lazy.mapped,
          world.machine.mms.size,
          world.machine.devices.openFiles.size,
        ];
        countdown = failAt;
        const child = yield* thread.fork(function* () {});
        countdown = Number.POSITIVE_INFINITY;
        if (typeof child === "number") {
          failed++;
          expect(child).toBe(-ENOMEM);
          expect([
            device.mapped,
            lazy.mapped,
            world.machine.mms.size,
            world.machine.devices.openFiles.size,
          ]).toEqual(before);
          world.expectAgreement();
        } else yield* child.waitForEnd();
        expect(thread.mm.areas.size).toBe(page);
        for (let index = 0; index < 3; index++)
          expect(yield* thread.load(own + index * world.page)).toBe(index);
        expect(yield* thread.load(at)).toBe(0x1000);
        const held = pinned.pincount.findIndex((count) => count > 0);
        yield* world.kernel.user.releasePage(thread.mm, held as never, "pin", "clean");
      });
      world.finish();
    }
    expect(failed).toBeGreaterThan(8);
  });
});

describe("the entries of a child", () => {
  test("RE-11 of bare pfn and mixed areas MUST be copied at fork, of other shared mappings MUST fault", () => {
    runProgram((world) => {
      const bare = new TestDevice(world, {
        path: "/dev/bare",
        ioPages: 2,
        mmap: (area, self) => self.remap(area),
      });
      const mixed = new TestDevice(world, {
        path: "/dev/mixed",
        pages: 2,
        mmap: (area, self) => self.insertAll(area),
      });
      const lazy = new TestDevice(world, { path: "/dev/lazy", pages: 2 });
      return function* (thread) {
        const [one, two, three] = [
          yield* map(thread, bare, { pages: 2 }),
          yield* map(thread, mixed),
          yield* map(thread, lazy),
        ];
        yield* thread.load(three);
        lazy.takeCalls();
        yield* inChild(thread, function* (own) {
          expect(yield* own.load(one + 4)).toBe(4);
          expect(yield* own.load(two)).toBe(0x1000);
          expect(own.minorFaults).toBe(0);
          expect(mixed.extraReferences).toEqual([2, 2]);
          expect(own.mm.rssFile).toBe(2);
          expect(lazy.takeCalls()).toEqual(["open [0, 2)"]);
          expect(yield* own.load(three)).toBe(0x1000);
          expect(lazy.takeCalls()).toEqual(["nopage 0 read"]);
          yield* own.store(two, 7);
          world.expectAgreement();
        });
        expect(yield* thread.load(two)).toBe(7);
        expect(mixed.extraReferences).toEqual([1, 1]);
      };
    });
  });

  test("RE-11 of large leaves MUST be copied as they are", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { ioPages: 512, mmap: (area, self) => self.remap(area, "large") });
      return function* (thread) {
        const at = yield* map(thread, device, { pages: 512 });
        yield* inChild(thread, function* (own) {
          expect(yield* own.load(at + 300 * world.page)).toBe(300 * world.page);
          expect(own.minorFaults).toBe(0);
          ok(yield* own.munmap(at, 100 * world.page));
          world.expectAgreement();
        });
        expect(yield* thread.load(at + 50 * world.page)).toBe(50 * world.page);
      };
    });
  });

  test("QU-01 MUST be found by a revoke like those of the parent", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { ioPages: 2, mmap: (area, self) => self.remap(area) });
      return function* (thread) {
        const at = yield* map(thread, device, { pages: 2 });
        yield* inChild(thread, function* (own) {
          yield* own.load(at);
          yield* world.kernel.mappings.unmapMappingRange(device.inode.mapping, 0, 0, "even-cows");
          expect(trapOf(yield* own.load(at))).toBe("SIGBUS BUS_ADRERR");
          expect(trapOf(yield* thread.load(at))).toBe("SIGBUS BUS_ADRERR");
        });
      };
    });
  });
});

describe("a hook that throws at fork", () => {
  test("is reported, and the child lives", () => {
    const world = new World();
    const device = new TestDevice(world, {
      pages: 1,
      ops: {
        open: () => {
          throw new Error("no");
        },
      },
      mmap: (area) => {
        area.flags |= VM_PFNMAP;
        return 0;
      },
    });
    world.run(function* (thread) {
      yield* map(thread, device);
      yield* inChild(thread, function* () {});
    });
    expect(world.messages).toEqual(["test device: open threw Error: no"]);
    world.finish("contract");
  });
});
