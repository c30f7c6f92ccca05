import { expect, test } from "vitest";
import { pageWasAccessed } from "../../src/mm/page-age.ts";
import { geometries } from "../../src/mmu/geometry.ts";
import { MOST_SPACES } from "../../src/mmu/tlb.ts";
import { ObjectKind, objectId } from "../../src/sched/points.ts";
import { Announcements } from "../support/announcements.ts";
import { mapAnonymous } from "../support/test-device.ts";
import { World } from "../support/world.ts";

const { pageTableEntry } = ObjectKind;

test("a walk of the hardware MUST be announced as a write exactly when it sets a bit in the entry", () => {
  const seen = new Announcements();
  const world = new World({ chooser: seen });
  world.run(function* (thread) {
    const at = yield* mapAnonymous(thread, 1);
    yield* thread.store(at, 1);
    const id = thread.mm.entryId(at / world.page);
    const walk = function* (kind: "load" | "store") {
      for (const tlb of world.machine.tlbs) tlb.flushAll();
      const since = seen.steps.length;
      yield* kind === "load" ? thread.load(at) : thread.store(at, 2);
      return seen.accesses(pageTableEntry, id, since);
    };
    expect(yield* walk("store")).toEqual(["read"]);
    expect(yield* walk("load")).toEqual(["read"]);
    yield* pageWasAccessed(thread.mm, at);
    expect(yield* walk("load")).toEqual(["write"]);
    expect(yield* walk("load")).toEqual(["read"]);
  });
  world.finish();
});

test("what a walk announces MUST be true when its turn comes, whatever others did to the entry meanwhile", () => {
  const seen = new Announcements((enabled) => {
    // The reader is let walk only once the other thread is done.
    const other = enabled.find(({ name }) => name === "other");
    return other ?? (enabled[0] as (typeof enabled)[number]);
  });
  const world = new World({ chooser: seen, cpus: 2 });
  world.run(function* (thread) {
    const at = yield* mapAnonymous(thread, 1);
    yield* thread.store(at, 1);
    const id = thread.mm.entryId(at / world.page);
    for (const tlb of world.machine.tlbs) tlb.flushAll();
    thread.spawn(function* (other) {
      yield* pageWasAccessed(other.mm, at);
    }, "other");
    const since = seen.steps.length;
    yield* thread.load(at);
    expect(seen.accesses(pageTableEntry, id, since)).toEqual(["write", "write"]);
  });
  world.finish();
});

test("every entry of every address space that can exist MUST have an exact number of its own", () => {
  for (const geometry of Object.values(geometries)) {
    expect(geometry.userEnd / geometry.pageSize).toBeLessThanOrEqual(2 ** 36);
    expect(geometry.leafLevels.length).toBeLessThanOrEqual(4);
  }
  const world = new World();
  // As after ten thousand forks, whose address spaces are gone.
  world.machine.nextMmId = 10_000;
  const spaces = Array.from({ length: 3 }, (_, at) => world.machine.createMm(`space ${at}`));
  const { userEnd, pageSize, leafLevels } = world.machine.geometry;
  const ids = new Set<number>();
  for (const mm of spaces) {
    for (const level of leafLevels) {
      for (const vpn of [0, userEnd / pageSize - 1]) ids.add(mm.entryId(vpn, level));
    }
  }
  expect(ids.size).toBe(spaces.length * leafLevels.length * 2);
  for (const id of ids) expect(id).toBeLessThan(2 ** 49);
  expect(MOST_SPACES * 4 * 2 ** 36).toBeLessThan(2 ** 49);
  expect(Number.isSafeInteger(objectId(ObjectKind.allocator, 2 ** 49 - 1))).toBe(true);
});

test("a look without a lock MUST be announced at every level that may have a leaf", () => {
  const seen = new Announcements();
  const world = new World({ chooser: seen });
  world.run(function* (thread) {
    const at = yield* mapAnonymous(thread, 1);
    const since = seen.steps.length;
    yield* thread.load(at);
    for (const level of world.machine.geometry.leafLevels) {
      const id = thread.mm.entryId(at / world.page, level);
      // The walk that is refused, the fault's own look, and the walk that is not.
      expect(
        seen.accesses(pageTableEntry, id, since).filter((how) => how === "read").length,
        `level ${level}`,
      ).toBe(level === 0 ? 2 : 3);
    }
  });
  world.finish();
});

test("who takes or asks for a use of an address space MUST note it", () => {
  const world = new World({ chooser: new Announcements() });
  world.run(function* (thread) {
    const { sched } = world.machine;
    const id = objectId(ObjectKind.cell, thread.mm.usersCell);
    yield* mapAnonymous(thread, 1);
    expect(sched.notedObjects).not.toContain(id);
    expect(world.kernel.user.tryUse(thread.mm)).toBe(true);
    expect(sched.notedObjects).toContain(id);
    yield* world.kernel.user.drop(thread.mm);
  });
  world.finish();
});
