import { describe, expect, test } from "vitest";
import { VM_READ } from "../../src/contract/area-flags.ts";
import { ENOMEM } from "../../src/contract/errno.ts";
import type { Sleepable } from "../../src/contract/execution.ts";
import type { Chooser } from "../../src/sched/chooser.ts";
import { Access, ObjectKind, objectId } from "../../src/sched/points.ts";
import { runToBlock } from "../../src/sched/run-to-block-chooser.ts";
import type { UserThread } from "../../src/user/user-thread.ts";
import { Announcements, announcedBy } from "../support/announcements.ts";
import { map, TestDevice, tryMap } from "../support/test-device.ts";
import { World } from "../support/world.ts";

const { pageTableEntry } = ObjectKind;
const MiB2 = 512;
/** A GiB of pages. */
const GiB = 512 * 512;

/** A device that is shown by leaves as large as fit. */
function largeWorld(chooser: Chooser, ioPages = MiB2, mayAllocate: (site: string) => boolean = () => true) {
  const world = new World({ chooser, allocations: { mayAllocate } });
  const device = new TestDevice(world, { ioPages, mmap: (area, self) => self.remap(area, "large") });
  return { world, device };
}

describe("every access to a large leaf MUST be announced as one to its one entry:", () => {
  const { page } = new World();
  const cases: Record<
    string,
    {
      readonly act: (at: number, thread: UserThread, world: World, device: TestDevice) => Sleepable<unknown>;
      readonly how: string[];
    }
  > = {
    "a load of its last page": {
      *act(at, thread) {
        yield* thread.load(at + (MiB2 - 1) * page);
      },
      how: ["write"],
    },
    "munmap of all of it": {
      *act(at, thread) {
        yield* thread.munmap(at, MiB2 * page);
      },
      how: ["write"],
    },
    "munmap of its last page": {
      *act(at, thread) {
        yield* thread.munmap(at + (MiB2 - 1) * page, page);
      },
      how: ["write"],
    },
    "a revoke of its last page": {
      *act(_at, _thread, world, device) {
        yield* world.kernel.mappings.unmapMappingRange(device.inode.mapping, MiB2 - 1, 1, "even-cows");
      },
      how: ["write"],
    },
    "mprotect of all of it": {
      *act(at, thread) {
        yield* thread.mprotect(at, MiB2 * page, VM_READ);
      },
      how: ["write"],
    },
    "a fork": {
      *act(_at, thread) {
        yield* thread.fork(function* () {});
      },
      how: ["read"],
    },
    "a move of all of it": {
      *act(at, thread) {
        const length = MiB2 * page;
        const newAddress = at + 8 * length;
        yield* thread.mremap({
          address: at,
          oldLength: length,
          newLength: length,
          moving: "may-move",
          newAddress,
        });
      },
      how: ["write"],
    },
  };
  test.each(Object.entries(cases))("%s", (_name, { act, how }) => {
    const seen = new Announcements();
    const { world, device } = largeWorld(seen);
    world.run(function* (thread) {
      const at = yield* map(thread, device, { pages: MiB2 });
      const id = thread.mm.entryId(at / page, 1);
      const since = seen.steps.length;
      yield* act(at, thread, world, device);
      expect(seen.accesses(pageTableEntry, id, since)).toEqual(how);
    });
    world.finish();
  });
});

test("a large leaf MUST be split, cleared and protected under the page-table lock only", () => {
  let leaf = -1;
  let isLocked = () => true;
  let writes = 0;
  const seen = new Announcements((enabled) => {
    const task = enabled[0] as (typeof enabled)[number];
    if (announcedBy(task).some(({ object, access }) => object === leaf && access === Access.write)) {
      writes++;
      expect(isLocked()).toBe(true);
    }
    return task;
  });
  const { world, device } = largeWorld(seen, 3 * MiB2);
  world.run(function* (thread) {
    isLocked = () => thread.mm.pageTableLock.isHeld;
    const { page } = world;
    const at = yield* map(thread, device, { pages: 3 * MiB2 });
    const watch = (index: number) => {
      leaf = objectId(pageTableEntry, thread.mm.entryId(at / page + index * MiB2, 1));
    };
    watch(0);
    yield* thread.munmap(at + page, page);
    watch(1);
    yield* thread.mprotect(at + MiB2 * page, page, VM_READ);
    watch(2);
    yield* thread.mremap({
      address: at + (2 * MiB2 + 1) * page,
      oldLength: page,
      newLength: page,
      moving: "may-move",
      newAddress: at + 8 * MiB2 * page,
    });
  });
  expect(writes).toBe(3);
  world.finish();
});

describe("without memory for another table", () => {
  test("a revoke of part of a large leaf MUST leave all pages outside it, level by level", () => {
    let isGiven = true;
    const { world, device } = largeWorld(runToBlock, GiB, (site) => isGiven || site !== "page-table");
    const { page } = world;
    world.run(function* (thread) {
      const at = yield* map(thread, device, { pages: GiB });
      expect(thread.mm.table.entryOf(at / page)).not.toBe(0);
      expect(thread.mm.table.level).toBe(2);
      isGiven = false;
      const { mapping } = device.inode;
      for (const [first, pages] of [
        [5, 1],
        [MiB2 + 5, 2 * MiB2],
        [GiB - 1, 1],
      ] as const) {
        yield* world.kernel.mappings.unmapMappingRange(mapping, first, pages, "even-cows");
        for (const outside of [first - 1, first + pages]) {
          if (outside < GiB) expect(yield* thread.load(at + outside * page)).toBe(outside * page);
        }
        expect(thread.mm.table.entryOf(at / page + first)).toBe(0);
        expect(thread.mm.table.entryOf(at / page + first + pages - 1)).toBe(0);
        world.expectAgreement();
      }
      expect(yield* thread.munmap(at + 7 * page, page)).toBe(0);
      isGiven = true;
    });
    world.finish();
  });

  test("a remap MUST fail rather than write a large leaf that could not be split", () => {
    let isGiven = true;
    const { world, device } = largeWorld(runToBlock, 2 * MiB2, (site) => isGiven || site !== "page-table");
    const { page } = world;
    world.run(function* (thread) {
      // The tables for the first leaf serve the second as well; what is missing is what it would need when split.
      const at = yield* map(thread, device, { pages: MiB2 });
      isGiven = false;
      const next = { pages: MiB2, pgoff: MiB2, address: at + MiB2 * page, placement: "fixed" } as const;
      expect(yield* tryMap(thread, device, next)).toBe(-ENOMEM);
      isGiven = true;
      world.expectAgreement();
    });
    world.finish();
  });
});
