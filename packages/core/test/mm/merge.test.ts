import { describe, expect, test } from "vitest";
import { VM_DONTCOPY, VM_READ } from "../../src/contract/area-flags.ts";
import { EFAULT } from "../../src/contract/errno.ts";
import type { Sleepable } from "../../src/contract/execution.ts";
import type { MappableArea } from "../../src/contract/file.ts";
import type { VmOps } from "../../src/contract/vm-ops.ts";
import type { UserThread } from "../../src/user/user-thread.ts";
import { map, mapAnonymous, openDevice, TestDevice } from "../support/test-device.ts";
import { ok, RW, runProgram, type World } from "../support/world.ts";

/** Far from everything, and from each other. */
const HERE = 0x1000_0000;
const FAR = 0x2000_0000;

/** The areas as numbers of pages from `HERE` on: `[0, 2) [3, 4)`. */
function shown({ machine }: World, thread: UserThread): string {
  const { pageSize } = machine.geometry;
  const inPages = (address: number) => (address - HERE) / pageSize;
  return thread.mm.areas
    .all()
    .map(({ start, end }) => `[${inPages(start)}, ${inPages(end)})`)
    .join(" ");
}

/** Runs one program with places in pages from `HERE` on, and checks the books after it. */
function atHere(
  program: (
    thread: UserThread,
    at: (page: number) => number,
    areas: () => string,
    world: World,
  ) => Sleepable<void>,
): void {
  runProgram(
    (world) =>
      function* (thread) {
        const at = (page: number) => HERE + page * world.page;
        yield* program(thread, at, () => shown(world, thread), world);
        world.expectAgreement();
      },
  );
}

describe("anonymous memory next to more of it", () => {
  test("is one area, whichever comes first, and a piece between two makes one of all three", () => {
    atHere(function* (thread, at, areas) {
      const piece = (page: number) => mapAnonymous(thread, 1, { address: at(page), placement: "fixed" });
      yield* piece(0);
      yield* piece(1);
      expect(areas()).toBe("[0, 2)");
      yield* piece(4);
      yield* piece(3);
      expect(areas()).toBe("[0, 2) [3, 5)");
      yield* piece(2);
      expect(areas()).toBe("[0, 5)");
      expect(thread.mm.totalPages).toBe(5);
    });
  });

  test("can be moved as a whole, with all that both hold", () => {
    atHere(function* (thread, at, _areas, { page }) {
      yield* mapAnonymous(thread, 1, { address: at(0), placement: "fixed" });
      yield* thread.store(at(0), 1);
      yield* mapAnonymous(thread, 1, { address: at(1), placement: "fixed" });
      yield* thread.store(at(1), 2);
      const move = { address: at(0), oldLength: 2 * page, newLength: 2 * page, moving: "may-move" } as const;
      expect(yield* thread.mremap({ ...move, newAddress: FAR })).toBe(FAR);
      expect([yield* thread.load(FAR), yield* thread.load(FAR + page)]).toEqual([1, 2]);
    });
  });

  test("stays apart where it may be used otherwise, is shared, or belongs to a file", () => {
    atHere(function* (thread, at, areas, world) {
      const descriptor = ok(yield* thread.memfdCreate("file"));
      const fixed = { placement: "fixed" } as const;
      yield* mapAnonymous(thread, 1, { ...fixed, address: at(0) });
      yield* mapAnonymous(thread, 1, { ...fixed, address: at(1), protection: VM_READ });
      yield* mapAnonymous(thread, 1, { ...fixed, address: at(2), sharing: "shared" });
      yield* mapAnonymous(thread, 1, { ...fixed, address: at(3), sharing: "shared" });
      const shape = { ...fixed, length: world.page, protection: RW, sharing: "private", descriptor } as const;
      ok(yield* thread.mmap({ ...shape, address: at(4), pgoff: at(4) / world.page }));
      expect(areas()).toBe("[0, 1) [1, 2) [2, 3) [3, 4) [4, 5)");
    });
  });

  test("with private pages of two lineages stays apart, and mremap over both is refused", () => {
    atHere(function* (thread, at, areas, { page }) {
      const fixed = { placement: "fixed" } as const;
      yield* mapAnonymous(thread, 1, { ...fixed, address: at(0) });
      yield* thread.store(at(0), 1);
      yield* mapAnonymous(thread, 1, { ...fixed, address: at(2) });
      yield* thread.store(at(2), 2);
      const move = { address: at(2), oldLength: page, newLength: page, moving: "may-move" } as const;
      expect(yield* thread.mremap({ ...move, newAddress: at(1) })).toBe(at(1));
      expect(areas()).toBe("[0, 1) [1, 2)");
      const both = { ...move, address: at(0), oldLength: 2 * page, newLength: 2 * page };
      expect(yield* thread.mremap({ ...both, newAddress: FAR })).toBe(-EFAULT);
    });
  });

  test("of a child that the parent wrote takes in nothing new, what it wrote itself does", () => {
    atHere(function* (thread, at, areas, world) {
      const fixed = { placement: "fixed" } as const;
      yield* mapAnonymous(thread, 1, { ...fixed, address: at(0) });
      yield* thread.store(at(0), 1);
      const child = yield* thread.fork(function* (own) {
        yield* mapAnonymous(own, 1, { ...fixed, address: at(1) });
        expect(shown(world, own)).toBe("[0, 1) [1, 2)");
        yield* own.store(at(1), 1);
        yield* mapAnonymous(own, 1, { ...fixed, address: at(2) });
        expect(shown(world, own)).toBe("[0, 1) [1, 3)");
      });
      if (typeof child !== "number") yield* child.waitForEnd();
      yield* mapAnonymous(thread, 1, { ...fixed, address: at(1) });
      expect(areas(), "the parent's is its own").toBe("[0, 2)");
    });
  });
});

describe("a change that is taken back", () => {
  test.each([
    ["protection", "mprotect"],
    ["lock", "mlock"],
    ["advice", "madvise"],
  ] as const)("of the %s of any part leaves one area and all that it held", (_what, call) => {
    for (const [first, last] of [
      [0, 1],
      [1, 2],
      [2, 3],
      [0, 3],
    ] as const) {
      atHere(function* (thread, at, areas, { page }) {
        yield* mapAnonymous(thread, 3, { address: at(0), placement: "fixed" });
        for (let index = 0; index < 3; index++) yield* thread.store(at(index), index);
        const length = (last - first) * page;
        if (call === "mprotect") ok(yield* thread.mprotect(at(first), length, VM_READ));
        else if (call === "mlock") ok(yield* thread.mlock(at(first), length));
        else ok(yield* thread.madvise(at(first), length, "dontfork"));
        expect(thread.mm.areas.size).toBe(first === 0 && last === 3 ? 1 : first === 1 ? 3 : 2);
        // Over everything: the parts that have it already are passed over.
        if (call === "mprotect") ok(yield* thread.mprotect(at(0), 3 * page, RW));
        else if (call === "mlock") ok(yield* thread.munlock(at(0), 3 * page));
        else ok(yield* thread.madvise(at(0), 3 * page, "dofork"));
        expect(areas()).toBe("[0, 3)");
        expect(thread.mm.lockedPages).toBe(0);
        for (let index = 0; index < 3; index++) {
          expect(yield* thread.load(at(index))).toBe(index);
          expect(yield* thread.store(at(index), 9)).toBeUndefined();
        }
      });
    }
  });

  test("moves a boundary between two areas, and the entries of what changed sides change", () => {
    atHere(function* (thread, at, areas, { page }) {
      yield* mapAnonymous(thread, 4, { address: at(0), placement: "fixed" });
      for (let index = 0; index < 4; index++) yield* thread.store(at(index), index);
      ok(yield* thread.mprotect(at(2), 2 * page, VM_READ));
      ok(yield* thread.mprotect(at(1), page, VM_READ));
      expect(areas()).toBe("[0, 1) [1, 4)");
      expect(yield* thread.store(at(1), 9)).toMatchObject({ code: "SEGV_ACCERR" });
      ok(yield* thread.mprotect(at(1), 2 * page, RW));
      expect(areas()).toBe("[0, 3) [3, 4)");
      expect(yield* thread.store(at(2), 9)).toBeUndefined();
    });
  });
});

describe("mremap", () => {
  test("that fills a gap by growing makes one area of both sides", () => {
    atHere(function* (thread, at, areas, { page }) {
      yield* mapAnonymous(thread, 3, { address: at(0), placement: "fixed" });
      yield* thread.store(at(0), 1);
      yield* thread.store(at(2), 3);
      ok(yield* thread.munmap(at(1), page));
      expect(yield* thread.mremap({ address: at(0), oldLength: page, newLength: 2 * page })).toBe(at(0));
      expect(areas()).toBe("[0, 3)");
      expect(thread.mm.totalPages).toBe(3);
      expect(yield* thread.load(at(1))).toBe(0);
    });
  });

  test("of memory that nobody has touched makes it one with its new neighbours, be it its own rest", () => {
    atHere(function* (thread, at, areas, { page }) {
      yield* mapAnonymous(thread, 3, { address: at(0), placement: "fixed" });
      const move = { address: at(0), oldLength: page, newLength: page, moving: "may-move" } as const;
      expect(yield* thread.mremap({ ...move, newAddress: at(3) })).toBe(at(3));
      expect(areas()).toBe("[1, 4)");
      yield* thread.store(at(1), 1);
      const again = { ...move, address: at(1), newAddress: at(4) };
      expect(yield* thread.mremap(again)).toBe(at(4));
      expect(areas(), "touched: its pages are numbered otherwise").toBe("[2, 4) [4, 5)");
      expect(yield* thread.load(at(4))).toBe(1);
    });
  });
});

describe("mappings of one open file that go on in it", () => {
  test("become one without the driver being asked, if it has no close hook and sets no special flag", () => {
    runProgram((world) => {
      const device: TestDevice = new TestDevice(world, {
        pages: 3,
        ops: { open: undefined, close: undefined } as never,
      });
      return function* (thread) {
        const descriptor = yield* openDevice(thread, device);
        const shape = { length: world.page, protection: RW, sharing: "shared", descriptor } as const;
        for (const index of [0, 2, 1]) {
          const address = HERE + index * world.page;
          ok(yield* thread.mmap({ ...shape, placement: "fixed", address, pgoff: index }));
        }
        expect(shown(world, thread)).toBe("[0, 3)");
        expect(device.takeCalls()).toEqual(["mmap [0, 1)", "mmap [2, 3)"]);
        expect(thread.process.file(descriptor)?.references).toBe(2);
        for (let index = 0; index < 3; index++)
          expect(yield* thread.load(HERE + index * world.page)).toBe(0x1000 + index);
        world.expectAgreement();
        yield* world.kernel.mappings.unmapMappingRange(device.inode.mapping, 1, 1, "even-cows");
        expect(thread.mm.rss).toBe(2);
      };
    });
  });

  test("become one after the driver was asked, if only its flags had told them apart", () => {
    runProgram((world) => {
      const device: TestDevice = new TestDevice(world, {
        pages: 2,
        ops: { open: undefined, close: undefined } as never,
        mmap: (area) => {
          area.flags |= VM_DONTCOPY;
          return 0;
        },
      });
      return function* (thread) {
        const descriptor = yield* openDevice(thread, device);
        const shape = { length: world.page, protection: RW, sharing: "shared", descriptor } as const;
        for (const pgoff of [0, 1]) {
          const address = HERE + pgoff * world.page;
          ok(yield* thread.mmap({ ...shape, placement: "fixed", address, pgoff }));
        }
        expect(shown(world, thread)).toBe("[0, 2)");
        expect(device.takeCalls()).toEqual(["mmap [0, 1)", "mmap [1, 2)"]);
        expect(thread.process.file(descriptor)?.references).toBe(2);
        expect(thread.mm.totalPages).toBe(2);
        world.expectAgreement();
      };
    });
  });

  test("LC-11 stay apart for a driver with a close hook: as many areas and closes as mappings", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 2 });
      return function* (thread) {
        for (const pgoff of [0, 1]) {
          const address = HERE + pgoff * world.page;
          yield* map(thread, device, { pages: 1, placement: "fixed", address, pgoff });
        }
        expect(shown(world, thread)).toBe("[0, 1) [1, 2)");
        ok(yield* thread.munmap(HERE, 2 * world.page));
        expect(device.calls.filter((call) => call.startsWith("close"))).toHaveLength(2);
      };
    });
  });
});

describe("mappings of one file of which only some have a close hook", () => {
  type Piece = readonly [page: number, pages: number, protection: number];

  /** Maps pieces of one open file, each shown at its place; those that begin at `withClose` have a close hook. */
  function withPieces(
    pieces: readonly Piece[],
    withClose: number,
    program: (
      thread: UserThread,
      areas: () => string,
      closed: readonly number[],
      world: World,
    ) => Sleepable<void>,
  ): void {
    const closed: number[] = [];
    const plain: VmOps = { name: "plain" };
    const closing: VmOps = { name: "closing", close: ({ pgoff }) => void closed.push(pgoff) };
    const mmap = (area: MappableArea) => {
      area.ops = area.pgoff === withClose ? closing : plain;
      return 0;
    };
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 6, mmap });
      return function* (thread) {
        const descriptor = yield* openDevice(thread, device);
        for (const [pgoff, pages, protection] of pieces) {
          const shape = { sharing: "shared", placement: "fixed", descriptor, protection, pgoff } as const;
          const address = HERE + pgoff * world.page;
          ok(yield* thread.mmap({ ...shape, address, length: pages * world.page }));
        }
        yield* program(thread, () => shown(world, thread), closed, world);
        world.expectAgreement();
      };
    });
  }

  test("one that has it grows by itself, though its neighbour could take the room", () => {
    const pieces: readonly Piece[] = [
      [0, 2, RW],
      [4, 2, RW],
    ];
    withPieces(pieces, 0, function* (thread, areas, closed, { page }) {
      expect(yield* thread.mremap({ address: HERE, oldLength: 2 * page, newLength: 4 * page })).toBe(HERE);
      expect(areas()).toBe("[0, 4) [4, 6)");
      expect(thread.mm.areas.find(HERE + 3 * page)?.ops?.name).toBe("closing");
      expect(thread.mm.totalPages).toBe(6);
      ok(yield* thread.munmap(HERE, 4 * page));
      expect(closed).toEqual([0]);
    });
  });

  test("one that has none takes the room together with its neighbour, if that has none either", () => {
    const pieces: readonly Piece[] = [
      [0, 2, RW],
      [4, 2, RW],
    ];
    for (const [withClose, shown] of [
      [4, "[0, 4) [4, 6)"],
      [-1, "[0, 6)"],
    ] as const) {
      withPieces(pieces, withClose, function* (thread, areas, _closed, { page }) {
        expect(yield* thread.mremap({ address: HERE, oldLength: 2 * page, newLength: 4 * page })).toBe(HERE);
        expect(areas()).toBe(shown);
      });
    }
  });

  test("one that has it is used up between two that have none, and its hook is not asked, as in 6.1", () => {
    const pieces: readonly Piece[] = [
      [0, 1, VM_READ],
      [1, 1, RW],
      [2, 1, VM_READ],
    ];
    withPieces(pieces, 1, function* (thread, areas, closed, { page }) {
      expect(areas()).toBe("[0, 1) [1, 2) [2, 3)");
      ok(yield* thread.mprotect(HERE + page, page, VM_READ));
      expect(areas()).toBe("[0, 3)");
      expect(closed, "its pages are mapped still").toEqual([]);
      ok(yield* thread.munmap(HERE, 3 * page));
      expect(closed).toEqual([]);
    });
  });

  test("a neighbour that has it takes nothing in", () => {
    for (const [withClose, other] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const pieces: readonly Piece[] = [
        [withClose, 1, VM_READ],
        [other, 1, RW],
      ];
      withPieces(pieces, withClose, function* (thread, areas, _closed, { page }) {
        ok(yield* thread.mprotect(HERE + other * page, page, VM_READ));
        expect(areas()).toBe("[0, 1) [1, 2)");
      });
    }
  });
});
