import { EAGAIN, ENOMEM, type Sleepable, type UserThread } from "@nopage/core";
import { describe, expect, it } from "vitest";
import { countedPath, mapAnonymous, mapCounted, RW } from "./support/counted-device.ts";
import { expectAnswer, fill, readBack, tried } from "./support/refused-allocations.ts";

describe("mmap with each of its allocations refused", () => {
  it.each(["private", "shared"] as const)("anonymous %s: MUST be ENOMEM with nothing mapped", (sharing) => {
    const { sites, answers } = tried("mmap", function* ({ world, thread, inject, refused }) {
      const result = yield* inject(() => mapAnonymous(thread, 3, sharing));
      expectAnswer(result, refused());
      expect(thread.mm.areas.size).toBe(result < 0 ? 0 : 1);
      if (result > 0) yield* thread.munmap(result, 3 * world.page);
      return Math.min(result, 0);
    });
    expect(sites).toEqual(
      sharing === "private" ? ["vm_area_alloc"] : ["alloc_empty_file", "alloc_inode", "vm_area_alloc"],
    );
    expect(answers).toEqual([-ENOMEM]);
  });

  it("of a memory file: MUST be ENOMEM, and the file still good", () => {
    const { sites } = tried("mmap of a memfd", function* ({ world, thread, inject, refused }) {
      const descriptor = yield* inject(() => thread.memfdCreate("m"));
      if (refused() === "alloc_inode" || refused() === "alloc_empty_file") {
        expect(descriptor).toBe(-ENOMEM);
        return descriptor;
      }
      yield* thread.ftruncate(descriptor, world.page);
      const request = { length: world.page, protection: RW, sharing: "shared", descriptor } as const;
      const address = yield* inject(() => thread.mmap(request));
      expectAnswer(address, refused());
      const again = address > 0 ? address : yield* thread.mmap(request);
      expect(yield* thread.store(again, 7)).toBeUndefined();
      yield* thread.munmap(again, world.page);
      yield* thread.close(descriptor);
      return Math.min(address, 0);
    });
    expect(sites).toEqual(["alloc_empty_file", "alloc_inode", "vm_area_alloc"]);
  });

  it("of a device: MUST be ENOMEM before the driver hears of it; open too, without a use of its module", () => {
    const { sites } = tried("open and mmap", function* ({ world, thread, inject, refused }) {
      const address = yield* inject(function* () {
        const descriptor = yield* thread.open({
          path: countedPath,
          mode: "read-write",
          blocking: "blocking",
        });
        if (descriptor < 0) return descriptor;
        const length = 8 * world.page;
        const result = yield* thread.mmap({ length, protection: RW, sharing: "shared", descriptor });
        yield* thread.close(descriptor);
        return result;
      });
      expectAnswer(address, refused());
      expect({ areas: world.areas(), uses: world.module.uses }).toEqual(
        address < 0 ? { areas: 0, uses: 0 } : { areas: 1, uses: 1 },
      );
      if (address > 0) yield* thread.munmap(address, 8 * world.page);
      return Math.min(address, 0);
    });
    expect(sites).toEqual(["alloc_empty_file", "vm_area_alloc"]);
  });

  it("over what was there: MUST be ENOMEM, with the old mapping gone as the manual page warns, or untouched", () => {
    tried("mmap fixed", function* ({ world, thread, inject, refused }) {
      const address = yield* mapCounted(thread);
      const middle = address + 2 * world.page;
      const result = yield* inject(() =>
        thread.mmap({
          address: middle,
          length: 2 * world.page,
          protection: RW,
          sharing: "private",
          placement: "fixed",
        }),
      );
      expectAnswer(result, refused());
      expect(yield* thread.load(address)).toBe(0);
      expect(yield* thread.load(address + 4 * world.page)).toBe(0);
      yield* thread.munmap(address, 8 * world.page);
      expect(world.areas()).toBe(0);
      return Math.min(result, 0);
    });
  });
});

describe("fork with each of its allocations refused", () => {
  it("MUST be ENOMEM with one close for each open, and the parent as it was (LC-05)", () => {
    const { sites, answers } = tried("fork", function* ({ world, thread, inject, refused }) {
      const device = yield* mapCounted(thread);
      yield* thread.munmap(device + 3 * world.page, world.page);
      const memory = yield* mapAnonymous(thread, 3);
      yield* fill(thread, memory, 3);
      const shared = yield* mapAnonymous(thread, 1, "shared");
      yield* thread.store(shared, 1);
      const areas = world.areas();
      const child = yield* inject(() =>
        thread.fork(function* (own) {
          yield* readBack(own, memory, 3, (index) => 100 + index);
          yield* own.store(shared, 2);
        }),
      );
      const result = typeof child === "number" ? child : 0;
      expectAnswer(result, refused());
      if (typeof child !== "number") yield* child.waitForEnd();
      expect(world.areas()).toBe(areas);
      yield* readBack(thread, memory, 3, (index) => 100 + index);
      yield* fill(thread, memory, 3);
      expect(yield* thread.load(shared)).toBe(result === 0 ? 2 : 1);
      yield* thread.munmap(device, 8 * world.page);
      yield* thread.munmap(memory, 3 * world.page);
      yield* thread.munmap(shared, world.page);
      expect({ areas: world.areas(), uses: world.module.uses }).toEqual({ areas: 0, uses: 0 });
      return result;
    });
    expect(sites).toEqual(["dup_task_struct", "mm_alloc", "page-table", "vm_area_alloc"]);
    expect(answers).toEqual([-ENOMEM]);
  });

  it("with pinned pages, which are copied at once: MUST be ENOMEM, and the pin still good (GP-04)", () => {
    const { sites } = tried("fork of pinned pages", function* ({ world, thread, inject, refused }) {
      const memory = yield* mapAnonymous(thread, 2);
      yield* fill(thread, memory, 2);
      const request = { access: "write", hold: "pin", permission: "checked" } as const;
      const pages = yield* world.kernel.user.getPages(thread.mm, memory as never, 2, request);
      if (typeof pages === "number") throw new Error("no pages");
      const child = yield* inject(() => thread.fork(function* () {}));
      expectAnswer(typeof child === "number" ? child : 0, refused());
      if (typeof child !== "number") yield* child.waitForEnd();
      for (const page of pages) yield* world.kernel.user.releasePage(thread.mm, page, "pin", "dirty");
      yield* readBack(thread, memory, 2, (index) => 100 + index);
      yield* thread.munmap(memory, 2 * world.page);
      return 0;
    });
    expect(sites).toContain("alloc_pages");
  });
});

describe("mremap with each of its allocations refused", () => {
  it.each([
    ["grown elsewhere", 4, 6, 0],
    ["the middle moved", 2, 2, 1],
    ["the end moved and grown", 2, 5, 2],
  ] as const)("%s: MUST be ENOMEM with every page where it was", (_what, pages, newPages, first) => {
    const { answers } = tried("mremap", function* ({ world, thread, inject, refused }) {
      const room = yield* mapAnonymous(thread, 16);
      const memory = room + 8 * world.page;
      yield* thread.munmap(room, 16 * world.page);
      yield* thread.mmap({
        address: memory,
        length: 4 * world.page,
        protection: RW,
        sharing: "private",
        placement: "fixed",
      });
      const wall = yield* thread.mmap({
        address: memory + 4 * world.page,
        length: world.page,
        protection: 0,
        sharing: "private",
        placement: "fixed",
      });
      yield* fill(thread, memory, 4);
      const from = memory + first * world.page;
      const result = yield* inject(() =>
        thread.mremap({
          address: from,
          oldLength: pages * world.page,
          newLength: newPages * world.page,
          moving: "may-move",
          ...(pages === newPages ? { newAddress: 1024 * world.page } : {}),
        }),
      );
      if (result < 0) expectAnswer(result, refused());
      const at = result > 0 ? result : from;
      // The pages have moved when the old range cannot be split off: it stays, empty, and the call succeeds (`move_vma`).
      if (result > 0 && refused() !== undefined) {
        expect(refused()).toBe("vm_area_alloc");
        expect(yield* thread.load(from)).toBe(0);
      }
      yield* readBack(thread, at, pages, (index) => 100 + first + index);
      yield* readBack(thread, memory, first, (index) => 100 + index);
      if (result > 0) yield* thread.munmap(result, newPages * world.page);
      yield* thread.munmap(memory, 4 * world.page);
      yield* thread.munmap(wall, world.page);
      return Math.min(result, 0);
    });
    expect(answers).toContain(-ENOMEM);
  });

  it("of a device: MUST count each area once", () => {
    tried("mremap of a device", function* ({ world, thread, inject, refused }) {
      const address = yield* mapCounted(thread);
      for (let index = 0; index < 8; index++) yield* thread.load(address + index * world.page);
      const result = yield* inject(() =>
        thread.mremap({
          address: address + 2 * world.page,
          oldLength: 3 * world.page,
          newLength: 3 * world.page,
          moving: "may-move",
          newAddress: 2 ** 29,
        }),
      );
      // Past the point of no return the move stands, however the old range is taken away.
      if (result >= 0) yield* thread.munmap(result, 3 * world.page);
      else expect({ result, site: refused() !== undefined }).toEqual({ result: -ENOMEM, site: true });
      yield* thread.munmap(address, 8 * world.page);
      expect({ areas: world.areas(), uses: world.module.uses }).toEqual({ areas: 0, uses: 0 });
      return 0;
    });
  });
});

describe("calls that split an area, with each of their allocations refused", () => {
  function split(
    name: string,
    error: number,
    call: (thread: UserThread, at: number, bytes: number) => Sleepable<number>,
  ) {
    return tried(name, function* ({ world, thread, inject, refused }) {
      const address = yield* mapCounted(thread);
      yield* thread.store(address + world.page, 7);
      const result = yield* inject(() => call(thread, address + 2 * world.page, 3 * world.page));
      expectAnswer(result, refused(), error);
      // All of it is still there, in however many areas.
      if (result < 0) {
        for (let index = 0; index < 8; index++) {
          expect(yield* thread.store(address + index * world.page, index)).toBeUndefined();
        }
      }
      expect(world.areas()).toBe(thread.mm.areas.size);
      yield* thread.munmap(address, 8 * world.page);
      expect({ areas: world.areas(), uses: world.module.uses }).toEqual({ areas: 0, uses: 0 });
      return result;
    });
  }

  it("munmap of a hole MUST be ENOMEM with nothing unmapped", () => {
    const { answers } = split("munmap", ENOMEM, (thread, at, bytes) => thread.munmap(at, bytes));
    expect(answers).toEqual([-ENOMEM]);
  });

  it("mprotect MUST be ENOMEM", () => {
    const { answers } = split("mprotect", ENOMEM, (thread, at, bytes) => thread.mprotect(at, bytes, 0));
    expect(answers).toEqual([-ENOMEM]);
  });

  it("madvise MUST be EAGAIN, its word for a split that could not be", () => {
    const { answers } = split("madvise", EAGAIN, (thread, at, bytes) =>
      thread.madvise(at, bytes, "dontfork"),
    );
    expect(answers).toEqual([-EAGAIN]);
  });

  it("mlock MUST be an error", () => {
    const { answers } = split("mlock", ENOMEM, (thread, at, bytes) => thread.mlock(at, bytes));
    expect(answers.every((answer) => answer < 0)).toBe(true);
  });
});

describe("what needs no memory", () => {
  it("MUST allocate nothing: truncate, discarding, unmapping whole areas", () => {
    expect(() =>
      tried("truncate", function* ({ world, thread, inject }) {
        const descriptor = yield* thread.memfdCreate("m");
        yield* thread.ftruncate(descriptor, 4 * world.page);
        const length = 4 * world.page;
        const address = yield* thread.mmap({ length, protection: RW, sharing: "shared", descriptor });
        yield* fill(thread, address, 4);
        const memory = yield* mapAnonymous(thread, 2);
        yield* fill(thread, memory, 2);
        yield* inject(function* () {
          expect(yield* thread.ftruncate(descriptor, world.page)).toBe(0);
          expect(yield* thread.madvise(memory, world.page, "dontneed")).toBe(0);
          expect(yield* thread.munmap(memory, 2 * world.page)).toBe(0);
        });
        yield* thread.munmap(address, length);
        yield* thread.close(descriptor);
        return 0;
      }),
    ).toThrow("truncate allocates nothing");
  });
});
