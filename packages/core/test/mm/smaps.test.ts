import { expect, test } from "vitest";
import { map, mapAnonymous, TestDevice } from "../support/test-device.ts";
import { ok, runProgram } from "../support/world.ts";

test("FR-01 RE-08 rss of page mappings MUST be what they show, RE-07 PF-04 of bare pfns 0", () => {
  runProgram((world) => {
    const lazy = new TestDevice(world, { path: "/dev/lazy", pages: 4 });
    const eager = new TestDevice(world, {
      path: "/dev/eager",
      pages: 4,
      mmap: (area, self) => self.insertAll(area),
    });
    const bare = new TestDevice(world, {
      path: "/dev/bare",
      ioPages: 4,
      mmap: (area, self) => self.remap(area),
    });
    return function* (thread) {
      const at = yield* map(thread, lazy);
      yield* map(thread, eager);
      const device = yield* map(thread, bare, { pages: 4 });
      yield* thread.load(at);
      yield* thread.load(device);
      const shown = yield* thread.proc().smaps();
      expect(new Map(shown.map(({ name, rss, flags }) => [name, `${rss}: ${flags.join(" ")}`]))).toEqual(
        new Map([
          ["/dev/bare", "0: rd wr sh mr mw me ms pf io de dd"],
          ["/dev/eager", "4: rd wr sh mr mw me ms mm"],
          ["/dev/lazy", "1: rd wr sh mr mw me ms"],
        ]),
      );
      expect(thread.proc().status()).toEqual({ size: 12, rss: 5, locked: 0, pinned: 0 });
    };
  });
});

test("RE-12 the private copies of a bare pfn mapping MUST NOT show, though the totals have them", () => {
  runProgram((world) => {
    const bare = new TestDevice(world, { ioPages: 2, mmap: (area, self) => self.remap(area) });
    return function* (thread) {
      const at = yield* map(thread, bare, { pages: 2, sharing: "private" });
      yield* thread.store(at, 1);
      const [area] = yield* thread.proc().smaps();
      expect([area?.rss, area?.anonymous, thread.proc().status().rss]).toEqual([0, 0, 1]);
      expect(yield* thread.proc().pagemap(at, 2)).toEqual([undefined, undefined]);
    };
  });
});

test("anonymous memory MUST show what was written, and what is locked", () => {
  runProgram(
    (world) =>
      function* (thread) {
        const at = yield* mapAnonymous(thread, 600);
        yield* thread.load(at);
        yield* thread.store(at + world.page, 1);
        yield* thread.store(at + 599 * world.page, 1);
        const child = yield* thread.fork(function* (own) {
          const [area] = yield* own.proc().smaps();
          expect(area).toMatchObject({ start: at, rss: 2, anonymous: 2, name: "", shared: false, locked: 0 });
        });
        if (typeof child === "number") throw new Error("no child");
        yield* child.waitForEnd();
        expect(yield* thread.proc(child).smaps()).toEqual([]);
        const frames = yield* thread.proc().pagemap(at, 3);
        expect(frames[0]).toBe(world.machine.zeroPage);
        expect(frames[1]).toBeGreaterThan(0);
        expect(frames[2]).toBeUndefined();
        ok(yield* thread.mlock(at, 2 * world.page));
        const [locked] = yield* thread.proc().smaps();
        expect(locked).toMatchObject({ locked: 2, rss: 2 });
        expect(thread.proc().status().locked).toBe(2);
        expect(yield* thread.proc().pagemap(0x1000, 1)).toEqual([undefined]);
      },
  );
});
