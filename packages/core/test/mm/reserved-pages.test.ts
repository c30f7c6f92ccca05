import { describe, expect, test } from "vitest";
import type { Page, UserAddress } from "../../src/contract/units.ts";
import { PG_reserved } from "../../src/memory/page-flags.ts";
import type { ReservedPageRules } from "../../src/mm/reserved-pages.ts";
import { map, TestDevice } from "../support/test-device.ts";
import { ok, trapOf, World } from "../support/world.ts";

/** A device whose first page is reserved, as drivers of 2.x marked theirs. */
function reservedDevice(rules: ReservedPageRules) {
  const world = new World({ reservedPages: rules });
  const { frames } = world.machine.memory;
  const device = new TestDevice(world, { pages: 2 });
  const page = device.pages[0] as Page;
  frames.setFlags(page, PG_reserved);
  world.atEnd(() => {
    frames.clearFlags(page, PG_reserved);
    while (frames.refcount[page] > 1) frames.put(page);
  });
  return { world, device, page, frames };
}

describe("a reserved page", () => {
  test("RS-01 by the rules of 6.1 MUST be counted like any other", () => {
    const { world, device, page, frames } = reservedDevice("6.1");
    world.run(function* (thread) {
      const at = yield* map(thread, device);
      yield* thread.load(at);
      yield* thread.load(at + world.page);
      expect(device.extraReferences).toEqual([1, 1]);
      expect(thread.mm.rssFile).toBe(2);
      const pages = yield* world.kernel.user.getPages(thread.mm, at as UserAddress, 1, {
        access: "read",
        hold: "reference",
        permission: "checked",
      });
      expect(pages).toEqual([page]);
      expect(frames.refcount[page]).toBe(3);
      yield* world.kernel.user.releasePage(thread.mm, page, "reference", "clean");
      ok(yield* thread.munmap(at, 2 * world.page));
      expect(device.extraReferences).toEqual([0, 0]);
      expect(thread.mm.rss).toBe(0);
    });
    world.finish();
  });

  test.each([
    ["2.4", 3],
    ["2.6.11", 0],
  ] as const)(
    "RS-03 by the rules of %s MUST keep its count when it is unmapped, and leave rss at %i after three rounds",
    (rules, rss) => {
      const { world, device } = reservedDevice(rules);
      world.run(function* (thread) {
        for (let round = 1; round <= 3; round++) {
          const at = yield* map(thread, device);
          yield* thread.load(at);
          yield* thread.load(at + world.page);
          ok(yield* thread.munmap(at, 2 * world.page));
          expect(device.extraReferences).toEqual([round, 0]);
        }
        expect(thread.mm.rssFile).toBe(rss);
      });
      world.finish();
    },
  );

  test.each(["2.4", "2.6.11"] as const)(
    "RS-04 by the rules of %s MUST get no reference from get_user_pages",
    (rules) => {
      const { world, device, page, frames } = reservedDevice(rules);
      world.run(function* (thread) {
        const at = yield* map(thread, device);
        yield* thread.load(at);
        const before = frames.refcount[page];
        const request = { access: "read", hold: "reference", permission: "checked" } as const;
        expect(yield* world.kernel.user.getPages(thread.mm, at as UserAddress, 1, request)).toEqual([page]);
        expect(frames.refcount[page]).toBe(before);
        yield* world.kernel.user.releasePage(thread.mm, page, "reference", "clean");
        expect(frames.refcount[page]).toBe(before);
      });
      world.finish();
    },
  );

  test.each(["2.4", "2.6.11"] as const)("by the rules of %s MUST get no reference from fork", (rules) => {
    const { world, device, page, frames } = reservedDevice(rules);
    world.run(function* (thread) {
      const at = yield* map(thread, device, { sharing: "private" });
      yield* thread.load(at);
      yield* thread.store(at + world.page, 1);
      const before = frames.refcount[page];
      const child = yield* thread.fork(function* (own) {
        expect(yield* own.load(at)).toBe(0x1000);
        expect(frames.refcount[page]).toBe(before);
        world.expectAgreement();
      });
      if (typeof child === "number") throw new Error("no child");
      yield* child.waitForEnd();
      expect(frames.refcount[page]).toBe(before);
    });
    world.finish();
  });
});

describe("a remap by legacy rules", () => {
  test.each(["2.4", "2.6.11"] as const)(
    "RS-02 (%s) MUST skip RAM that is not reserved in silence; the hole is anonymous memory",
    (rules) => {
      const { world, device, page, frames } = reservedDevice(rules);
      const remapped = new TestDevice(world, {
        path: "/dev/remapped",
        mmap: (area) => {
          area.ops = { name: "remapped" };
          const request = { address: area.start, pfn: page, pages: 2, leaves: "single" } as const;
          return world.kernel.mappings.remapPfnRange(area, request);
        },
      });
      const other = device.pages[1] as Page;
      expect(other).toBe(page + 1);
      world.run(function* (thread) {
        for (const sharing of ["shared", "private"] as const) {
          const at = yield* map(thread, remapped, { pages: 2, sharing });
          expect(yield* thread.load(at)).toBe(0x1000);
          expect(yield* thread.load(at + world.page)).toBe(0);
          yield* thread.store(at + world.page, 9);
          expect(yield* thread.load(at + world.page)).toBe(9);
          expect(frames.view.getUint32(other * world.page, true)).toBe(0x1001);
          ok(yield* thread.munmap(at, 2 * world.page));
        }
      });
      world.finish();
    },
  );

  test("RS-02 by the rules of 6.1 MUST map every frame", () => {
    const { world, device, page } = reservedDevice("6.1");
    const remapped = new TestDevice(world, {
      path: "/dev/remapped",
      mmap: (area) => {
        area.ops = { name: "remapped" };
        const request = { address: area.start, pfn: page, pages: 2, leaves: "single" } as const;
        return world.kernel.mappings.remapPfnRange(area, request);
      },
    });
    world.run(function* (thread) {
      const at = yield* map(thread, remapped, { pages: 2 });
      expect(yield* thread.load(at + world.page)).toBe(0x1001);
      expect(device.extraReferences).toEqual([0, 0]);
      ok(yield* thread.munmap(at, world.page));
      expect(trapOf(yield* thread.load(at))).toBe("SIGSEGV SEGV_MAPERR");
    });
    world.finish();
  });
});
