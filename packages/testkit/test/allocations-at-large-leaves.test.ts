import { ENOMEM, type Sleepable, type UserThread } from "@nopage/core";
import { eagerRemap } from "@nopage/eager-remap";
import { describe, expect, it } from "vitest";
import {
  createTestWorld,
  entriesOf,
  failEveryAllocation,
  mapTestDevice,
  markOf,
  type Shortage,
  type TestWorld,
} from "../src/index.ts";

/** Two large leaves of 2 MiB. */
const PAGES = 1024;
const PAGE = 4096;

type Call = (thread: UserThread, address: number) => Sleepable<number>;

/** Tries a call on a mapping made of large leaves; `still` tells the pages that must be seen afterwards where they were. */
function tried(name: string, call: Call, whenDone: (page: number) => boolean, shortage: Shortage) {
  return failEveryAllocation(
    {
      name,
      build: (allocations) =>
        createTestWorld({ strategy: eagerRemap, backing: "pfn-run", pages: PAGES, machine: { allocations } }),
      *program({ world, thread, inject, refused }) {
        const address = yield* mapTestDevice(thread, world.device);
        expect(entriesOf(world.machine, world.device)).toBe(PAGES);
        const result = yield* inject(() => call(thread, address));
        if (refused() === undefined) expect(result).toBeGreaterThanOrEqual(0);
        const isDone = result >= 0;
        for (const page of [0, 9, 10, 11, 511, 512, 700, PAGES - 1]) {
          const seen = yield* thread.load(address + page * PAGE);
          const isThere = isDone ? whenDone(page) : true;
          expect({ refused: refused(), page, isThere: seen === markOf(page) }).toEqual({
            refused: refused(),
            page,
            isThere,
          });
        }
        yield* cleanUp(thread, world);
        return result;
      },
    },
    shortage,
  );
}

function* cleanUp(thread: UserThread, { machine }: TestWorld): Sleepable<void> {
  for (const { start, end } of [...thread.mm.areas.all()]) yield* thread.munmap(start, end - start);
  expect(machine.mms.size).toBe(1);
}

describe.each(["one", "from-then-on"] as const)("a mapping made of large leaves, refused %s", (shortage) => {
  it("munmap of a part of a leaf MUST be ENOMEM with every page still mapped", () => {
    const trials = tried(
      "munmap",
      (thread, address) => thread.munmap(address + 10 * PAGE, PAGE),
      (page) => page !== 10,
      shortage,
    );
    // The table for a split was set aside when the leaf was written.
    expect(trials.map(({ site }) => site)).not.toContain("page-table");
    expect(new Set(trials.map(({ answer }) => answer))).toEqual(new Set([-ENOMEM]));
  });

  it("mprotect of a part of a leaf MUST be ENOMEM with every page still mapped", () => {
    const trials = tried(
      "mprotect",
      (thread, address) => thread.mprotect(address + 10 * PAGE, 2 * PAGE, 0),
      (page) => page !== 10 && page !== 11,
      shortage,
    );
    expect(new Set(trials.map(({ answer }) => answer))).toEqual(new Set([-ENOMEM]));
  });

  it.each([
    ["a part of a leaf", 10, 2, 2 ** 30],
    ["a leaf and a half, where no leaf fits", 256, 768, 2 ** 30 + PAGE],
    ["both leaves, where no leaf fits", 0, PAGES, 2 ** 30 + PAGE],
  ])("mremap of %s MUST be ENOMEM with every page where it was", (_what, first, pages, newAddress) => {
    const trials = tried(
      "mremap",
      (thread, address) =>
        thread.mremap({
          address: address + first * PAGE,
          oldLength: pages * PAGE,
          newLength: pages * PAGE,
          moving: "may-move",
          newAddress,
        }),
      (page) => page < first || page >= first + pages,
      shortage,
    );
    expect(trials.map(({ answer }) => answer)).toContain(-ENOMEM);
  });

  it("mmap itself MUST be an error and leave nothing", () => {
    failEveryAllocation(
      {
        name: "mmap",
        build: (allocations) =>
          createTestWorld({
            strategy: eagerRemap,
            backing: "pfn-run",
            pages: PAGES + 3,
            machine: { allocations },
          }),
        *program({ world, thread, inject, refused }) {
          const address = yield* inject(() => mapTestDevice(thread, world.device));
          expect(address > 0).toBe(refused() === undefined);
          expect(entriesOf(world.machine, world.device)).toBe(address > 0 ? PAGES + 3 : 0);
          yield* cleanUp(thread, world);
          return address;
        },
      },
      shortage,
    );
  });

  it("fork MUST be ENOMEM, and the parent still see every page", () => {
    const trials = tried(
      "fork",
      function* (thread) {
        const child = yield* thread.fork(function* () {});
        if (typeof child !== "number") yield* child.waitForEnd();
        return typeof child === "number" ? child : 0;
      },
      () => true,
      shortage,
    );
    expect(new Set(trials.map(({ answer }) => answer))).toEqual(new Set([-ENOMEM]));
  });
});
