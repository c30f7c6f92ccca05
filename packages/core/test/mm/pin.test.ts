import { describe, expect, test } from "vitest";
import { VM_MIXEDMAP, VM_READ, VM_WRITE } from "../../src/contract/area-flags.ts";
import { EEXIST, EFAULT, EINTR, ENOMEM } from "../../src/contract/errno.ts";
import { hwpoison, oom, sigsegv } from "../../src/contract/outcome.ts";
import type { Page, UserAddress } from "../../src/contract/units.ts";
import { REFCOUNT_MAX } from "../../src/memory/frames.ts";
import { PG_dirty } from "../../src/memory/page-flags.ts";
import type { PageRequest } from "../../src/mm/pin.ts";
import { hold, PIN, release } from "../support/hold-pages.ts";
import { map, mapAnonymous, TestDevice } from "../support/test-device.ts";
import { ok, RW, runProgram, World } from "../support/world.ts";

const READ_PIN: PageRequest = { ...PIN, access: "read" };

describe("getPages", () => {
  test("GP-01 MUST fault pages in, and each pin MUST be given back once", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const { frames } = world.machine.memory;
          const at = yield* mapAnonymous(thread, 3);
          const pages = yield* hold(world, thread, at, 3);
          expect(new Set(pages).size).toBe(3);
          expect(pages.map((page) => [frames.refcount[page], frames.pincount[page]])).toEqual([
            [2, 1],
            [2, 1],
            [2, 1],
          ]);
          expect(thread.mm.rssAnon).toBe(3);
          expect(thread.minorFaults).toBe(3);
          const again = yield* hold(world, thread, at, 3);
          expect(again).toEqual(pages);
          expect(frames.pincount[pages[0]!]).toBe(2);
          yield* release(world, thread, pages);
          yield* release(world, thread, again);
          expect(pages.map((page) => frames.pincount[page])).toEqual([0, 0, 0]);
        },
    );
  });

  test("GP-01 a pin given back twice MUST be reported", () => {
    const world = new World();
    world.run(function* (thread) {
      const at = yield* mapAnonymous(thread, 1);
      const pages = yield* hold(world, thread, at, 1);
      yield* release(world, thread, pages);
      yield* release(world, thread, pages);
    });
    world.finish("refcount-underflow");
  });

  test("an address inside a page MUST mean that page", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 2);
          const pages = yield* hold(world, thread, at + 100, 2);
          yield* release(world, thread, pages);
        },
    );
  });

  test("GP-02 a pinned range MUST be unmapped at once; its pages stay allocated until unpin, seen by nobody", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const { frames } = world.machine.memory;
          const at = yield* mapAnonymous(thread, 1);
          yield* thread.store(at, 1);
          const pages = yield* hold(world, thread, at, 1);
          ok(yield* thread.munmap(at, world.page));
          expect(frames.isAllocated(pages[0]!)).toBe(true);
          const next = yield* mapAnonymous(thread, 1);
          yield* thread.store(next, 2);
          frames.view.setUint32(pages[0]! * world.page, 99, true);
          expect(yield* thread.load(next)).toBe(2);
          yield* release(world, thread, pages);
          expect(frames.isAllocated(pages[0]!)).toBe(false);
        },
    );
  });

  test("GP-06 for writing without write permission MUST be refused with EFAULT", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 1 });
      return function* (thread) {
        const { user } = world.kernel;
        const at = yield* map(thread, device, { protection: VM_READ });
        expect(yield* user.getPages(thread.mm, at as UserAddress, 1, PIN)).toBe(-EFAULT);
        const pages = yield* hold(world, thread, at, 1, READ_PIN);
        yield* release(world, thread, pages, READ_PIN);
        const none = yield* mapAnonymous(thread, 1, { protection: 0 });
        expect(yield* user.getPages(thread.mm, none as UserAddress, 1, READ_PIN)).toBe(-EFAULT);
        const writeOnly = yield* mapAnonymous(thread, 1, { protection: VM_WRITE });
        expect(yield* user.getPages(thread.mm, writeOnly as UserAddress, 1, READ_PIN)).toBe(-EFAULT);
      };
    });
  });

  test("GP-07 forced for writing MUST never reach a shared or may-not-write mapping; a private one gets its own copy", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 1 });
      return function* (thread) {
        const { user } = world.kernel;
        const forced: PageRequest = { ...PIN, permission: "forced" };
        const shared = yield* map(thread, device, { protection: VM_READ });
        expect(yield* user.getPages(thread.mm, shared as UserAddress, 1, forced)).toBe(-EFAULT);
        const own = yield* map(thread, device, { sharing: "private", protection: VM_READ });
        const pages = yield* hold(world, thread, own, 1, forced);
        expect(pages).not.toEqual(device.pages);
        const { frames } = world.machine.memory;
        frames.view.setUint32(pages[0]! * world.page, 66, true);
        expect(yield* thread.load(own)).toBe(66);
        expect(device.word(0)).toBe(0x1000);
        expect(yield* thread.store(own, 1)).toMatchObject({ code: "SEGV_ACCERR" });
        yield* release(world, thread, pages, forced);
        world.expectAgreement();
      };
    });
  });

  test("GP-07 forced for writing after fork MUST NOT reach the page that the child shares", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const { frames } = world.machine.memory;
          const at = yield* mapAnonymous(thread, 1);
          yield* thread.store(at, 1);
          ok(yield* thread.mprotect(at, world.page, VM_READ));
          const child = yield* thread.fork(function* (own) {
            yield* own.nanosleep(100);
            expect(yield* own.load(at)).toBe(1);
          });
          const forced: PageRequest = { ...PIN, permission: "forced" };
          const pages = yield* hold(world, thread, at, 1, forced);
          frames.view.setUint32(pages[0]! * world.page, 66, true);
          expect(yield* thread.load(at)).toBe(66);
          if (typeof child === "number") throw new Error("no child");
          yield* child.waitForEnd();
          yield* release(world, thread, pages, forced);
        },
    );
  });

  test("forced for reading MUST reach memory that may be read though it is not allowed to be", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 1);
          yield* thread.store(at, 1);
          ok(yield* thread.mprotect(at, world.page, 0));
          const forced: PageRequest = { access: "read", hold: "reference", permission: "forced" };
          const pages = yield* hold(world, thread, at, 1, forced);
          expect(world.machine.memory.frames.view.getUint32(pages[0]! * world.page, true)).toBe(1);
          yield* release(world, thread, pages, forced);
        },
    );
  });

  test("a read-only pin of a private page that is shared since fork MUST get its own copy first", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const { frames } = world.machine.memory;
          const at = yield* mapAnonymous(thread, 1);
          yield* thread.store(at, 1);
          const child = yield* thread.fork(function* (own) {
            yield* own.nanosleep(100);
          });
          const pages = yield* hold(world, thread, at, 1, READ_PIN);
          yield* thread.store(at, 2);
          expect(frames.view.getUint32(pages[0]! * world.page, true)).toBe(2);
          yield* release(world, thread, pages, READ_PIN);
          if (typeof child === "number") throw new Error("no child");
          yield* child.waitForEnd();
        },
    );
  });

  test("GP-08 partial success MUST answer with the pages that were held", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 2 });
      return function* (thread) {
        const at = yield* map(thread, device, { pages: 4 });
        const pages = yield* world.kernel.user.getPages(thread.mm, at as UserAddress, 4, PIN);
        expect(pages).toEqual(device.pages);
        const tail = (at + 2 * world.page) as UserAddress;
        expect(yield* world.kernel.user.getPages(thread.mm, tail, 1, PIN)).toBe(-EFAULT);
        yield* release(world, thread, device.pages);
        expect(device.extraReferences).toEqual([1, 1]);
      };
    });
  });

  test("GP-10 released dirty MUST leave the page dirty", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 1 });
      return function* (thread) {
        const { frames } = world.machine.memory;
        const at = yield* map(thread, device);
        const [page] = (yield* hold(world, thread, at, 1)) as [Page];
        frames.clearFlags(page, PG_dirty);
        yield* world.kernel.user.releasePage(thread.mm, page, "pin", "dirty");
        expect(frames.hasFlags(page, PG_dirty)).toBe(true);
      };
    });
  });

  test("GP-12 the page of zeros MUST be held and released without being counted", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const { frames } = world.machine.memory;
          const { zeroPage } = world.machine;
          const before = [frames.refcount[zeroPage], frames.pincount[zeroPage]];
          const at = yield* mapAnonymous(thread, 1);
          const pages = yield* hold(world, thread, at, 1, READ_PIN);
          expect(pages).toEqual([zeroPage]);
          expect([frames.refcount[zeroPage], frames.pincount[zeroPage]]).toEqual(before);
          yield* release(world, thread, pages, READ_PIN);
          expect([frames.refcount[zeroPage], frames.pincount[zeroPage]]).toEqual(before);
        },
    );
  });

  test("FR-10 outcomes of the fault MUST become errors: SIGBUS and SIGSEGV EFAULT, broken memory EFAULT, lack of it ENOMEM", () => {
    runProgram((world) => {
      const answers = { sigbus: undefined, sigsegv, hwpoison, oom } as const;
      const devices = Object.entries(answers).map(([name, outcome]) => ({
        name,
        device: new TestDevice(world, {
          path: `/dev/${name}`,
          ...(outcome === undefined ? {} : { ops: { nopage: () => outcome } }),
        }),
      }));
      return function* (thread) {
        const results: string[] = [];
        for (const { name, device } of devices) {
          const at = yield* map(thread, device);
          results.push(`${name} ${yield* world.kernel.user.getPages(thread.mm, at as UserAddress, 1, PIN)}`);
        }
        expect(results).toEqual([
          `sigbus ${-EFAULT}`,
          `sigsegv ${-EFAULT}`,
          `hwpoison ${-EFAULT}`,
          `oom ${-ENOMEM}`,
        ]);
        expect(yield* world.kernel.user.getPages(thread.mm, 0x1000 as UserAddress, 1, PIN)).toBe(-EFAULT);
      };
    });
  });

  test("PF-07 of a bare pfn area MUST fail before the handler is asked; of a bare pfn among pages with EEXIST", () => {
    runProgram((world) => {
      let asked = 0;
      const bare = new TestDevice(world, {
        path: "/dev/bare",
        ioPages: 1,
        mmap: (area, self) => self.remap(area),
        ops: {
          nopage: () => {
            asked++;
            return { kind: "sigbus" };
          },
        },
      });
      const mixed: TestDevice = new TestDevice(world, {
        path: "/dev/mixed",
        ops: { nopagePfn: () => ({ kind: "pfn", pfn: bare.ioPfn }) },
        mmap: (area) => {
          area.flags |= VM_MIXEDMAP;
          return 0;
        },
      });
      return function* (thread) {
        const { user } = world.kernel;
        const at = yield* map(thread, bare);
        for (const request of [PIN, READ_PIN, { ...READ_PIN, permission: "forced" as const }]) {
          expect(yield* user.getPages(thread.mm, at as UserAddress, 1, request)).toBe(-EFAULT);
        }
        yield* world.kernel.mappings.unmapMappingRange(bare.inode.mapping, 0, 0, "even-cows");
        expect(yield* user.getPages(thread.mm, at as UserAddress, 1, PIN)).toBe(-EFAULT);
        expect(asked).toBe(0);
        const special = yield* map(thread, mixed);
        expect(yield* user.getPages(thread.mm, special as UserAddress, 1, READ_PIN)).toBe(-EEXIST);
      };
    });
  });

  test("RC-05 of a page whose count is at its limit MUST fail with ENOMEM", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 1 });
      return function* (thread) {
        const { frames } = world.machine.memory;
        const at = yield* map(thread, device);
        yield* thread.store(at, 1);
        const page = device.pages[0]!;
        frames.refcount[page] = REFCOUNT_MAX;
        for (const request of [PIN, { ...PIN, hold: "reference" as const }]) {
          expect(yield* world.kernel.user.getPages(thread.mm, at as UserAddress, 1, request)).toBe(-ENOMEM);
        }
        expect([frames.refcount[page], frames.pincount[page]]).toEqual([REFCOUNT_MAX, 0]);
        frames.refcount[page] = 2;
      };
    });
  });

  test("for a thread that is being killed MUST stop with EINTR or with what it has", () => {
    const world = new World();
    const results: unknown[] = [];
    const device = new TestDevice(world, {
      pages: 4,
      file: {
        *read(_file, buffer) {
          const mm = world.kernel.user.currentMm()!;
          const pages = yield* world.kernel.user.getPages(mm, buffer, 4, READ_PIN);
          results.push(typeof pages === "number" ? pages : pages.length);
          if (typeof pages !== "number") {
            for (const page of pages) yield* world.kernel.user.releasePage(mm, page, "pin", "clean");
          }
          return 0;
        },
      },
    });
    const gate = world.machine.createGate("stuck");
    const stuck: TestDevice = new TestDevice(world, {
      path: "/dev/stuck",
      pages: 4,
      ops: {
        nopage: (fault) => {
          if (fault.pgoff > stuckFrom) return { kind: "retry", until: "gate-opens" };
          world.machine.memory.frames.get(stuck.pages[fault.pgoff]!);
          return { kind: "page", page: stuck.pages[fault.pgoff]! };
        },
      },
      mmap: (area) => {
        area.backing = { gate, name: "stuck", pages: 4, mapping: stuck.inode.mapping } as never;
        return 0;
      },
    });
    let stuckFrom = 1;
    world.run(function* (thread) {
      for (const from of [1, -1]) {
        stuckFrom = from;
        const victim = world.spawn(function* (own) {
          const descriptor = yield* own.open({ path: device.path, mode: "read", blocking: "blocking" });
          const at = yield* map(own, stuck);
          for (let page = 0; page <= from; page++) yield* own.load(at + page * world.page);
          yield* gate.close();
          yield* own.read(descriptor, at, 4);
        }, "victim");
        yield* thread.nanosleep(1000);
        victim.kill("SIGKILL");
        yield* victim.waitForEnd();
        yield* gate.open();
      }
    });
    expect(results).toEqual([2, -EINTR]);
    expect(RW).toBe(3);
    world.finish();
  });

  test("GP-13 pages of a driver MUST outlive its own free while they are pinned", () => {
    const world = new World();
    const { frames } = world.machine.memory;
    const device = new TestDevice(world, { pages: 1 });
    world.run(function* (thread) {
      const at = yield* map(thread, device);
      const pages = yield* hold(world, thread, at, 1);
      ok(yield* thread.munmap(at, world.page));
      for (const page of device.pages.splice(0)) frames.put(page);
      expect(frames.isAllocated(pages[0]!)).toBe(true);
      yield* release(world, thread, pages);
      expect(frames.isAllocated(pages[0]!)).toBe(false);
    });
    world.finish();
  });
});
