import { describe, expect, test } from "vitest";
import type { Sleepable } from "../../src/contract/execution.ts";
import { mapPage } from "../../src/contract/outcome.ts";
import type { KernelAddress, Page } from "../../src/contract/units.ts";
import { owners } from "../../src/memory/owners.ts";
import { PG_hwpoison } from "../../src/memory/page-flags.ts";
import { migratePage } from "../../src/mm/migrate.ts";
import { getUserPages, releaseUserPage } from "../../src/mm/pin.ts";
import { ptePfn } from "../../src/mmu/pte.ts";
import { Access, accessNames, ObjectKind, objectId } from "../../src/sched/points.ts";
import type { Task } from "../../src/sched/task.ts";
import type { UserThread } from "../../src/user/user-thread.ts";
import { Announcements, type Touch } from "../support/announcements.ts";
import { map, mapAnonymous, TestDevice } from "../support/test-device.ts";
import { World } from "../support/world.ts";

const { allocator, cell, frameContents, frameCounts, pageTableEntry, tlb } = ObjectKind;

/** The accesses of a step to some objects, in words; undefined where it does not touch the first. */
function how(touches: readonly Touch[], ...objects: readonly number[]): string | undefined {
  const found = objects.map((object) => touches.find((touch) => touch.object === object)?.access);
  return found[0] === undefined ? undefined : found.map((access) => accessNames[access ?? 0]).join(" + ");
}

/** Runs one thread with a private page that it has written to, and answers how `act` touched its entry and its counts. */
function touchesOf(
  act: (thread: UserThread, at: number, page: Page) => Sleepable<unknown>,
): readonly string[] {
  const seen = new Announcements();
  const world = new World({ chooser: seen });
  const steps: string[] = [];
  world.run(function* (thread) {
    const at = yield* mapAnonymous(thread, 1);
    yield* thread.store(at, 1);
    const vpn = at / world.page;
    const page = ptePfn(thread.mm.table.entryOf(vpn)) as number as Page;
    const entry = objectId(pageTableEntry, thread.mm.entryId(vpn));
    const since = seen.steps.length;
    yield* act(thread, at, page);
    for (const { touches } of seen.steps.slice(since)) {
      const step = how(touches, entry, objectId(frameCounts, page));
      if (step !== undefined) steps.push(step);
    }
  });
  world.finish();
  return steps;
}

/** A fork whose child has ended, so that the page is this thread's alone again, but read-only. */
function* forkAndWait(thread: UserThread): Sleepable<void> {
  yield* thread.fork(function* () {});
  yield* thread.nanosleep(10);
}

describe("what is decided by a page's counts MUST be decided in one step with what is done about it:", () => {
  test("copy or reuse, by a store after a fork", () => {
    let after = 0;
    const steps = touchesOf(function* (thread, at) {
      yield* forkAndWait(thread);
      after = thread.minorFaults;
      yield* thread.store(at, 2);
      expect(thread.minorFaults).toBe(after + 1);
    });
    // Fork; the walk that is refused; the fault's look; the decision; the walk again.
    expect(steps).toEqual(["write + write", "read + start", "read + start", "write + write", "read + start"]);
  });

  test("copy or share, by a fork of a pinned page", () => {
    const steps = touchesOf(function* (thread, at, page) {
      yield* getUserPages(thread.mm, at, 1, { access: "write", hold: "pin", permission: "checked" });
      yield* thread.fork(function* () {});
      yield* releaseUserPage(thread.mm, page, "pin", "dirty");
    });
    expect(steps).toEqual(["read + count up", "write + write"]);
  });

  test("whether a page may migrate", () => {
    const steps = touchesOf(function* (thread, at) {
      expect(yield* migratePage(thread.mm, at)).toBe(0);
    });
    expect(steps).toEqual(["write + write", "write + count up"]);
  });
});

test("a reference to any page of a compound page MUST be announced as one to its head, which counts it", () => {
  const seen = new Announcements();
  const world = new World({ chooser: seen });
  const { pages, frames } = world.machine.memory;
  const head = pages.getFreePages(2, "compound", owners.driver) as Page;
  world.asKernel(function* () {
    yield* world.kernel.pages.get((head + 3) as Page);
    yield* world.kernel.pages.put((head + 2) as Page);
  });
  expect(seen.accesses(frameCounts, head)).toEqual(["count up", "count down"]);
  frames.put(head);
  world.finish();
});

test("a step that frees or takes a frame MUST note it, its contents and the order of the allocator", () => {
  const world = new World({ chooser: new Announcements() });
  const { sched, memory } = world.machine;
  const page = memory.pages.allocPage(owners.driver) as Page;
  const expected = [objectId(allocator, 0), objectId(frameCounts, page), objectId(frameContents, page)];
  world.asKernel(function* () {
    yield* world.kernel.pages.get(page);
    yield* world.kernel.pages.put(page);
    expect(sched.notedObjects).toEqual([]);
    yield* world.kernel.pages.put(page);
    expect(sched.notedObjects).toEqual(expected);
    yield* world.kernel.sync.shared("a cell", 0).get();
    expect(sched.notedObjects).toEqual([]);
    expect(memory.pages.allocPage(owners.driver)).toBe(page);
    expect(sched.notedObjects).toEqual(expected);
    memory.frames.put(page);
  });
  world.finish();
});

test("a plain function that gives back a page which others hold MUST note that, as the last one frees it", () => {
  const world = new World({ chooser: new Announcements() });
  const { sched, memory } = world.machine;
  const page = memory.pages.allocPage(owners.driver) as Page;
  const area = memory.vmalloc.vmalloc(world.page) as KernelAddress;
  const shown = memory.vmalloc.vmallocToPage(area) as Page;
  const held = [page, shown];
  world.asKernel(function* () {
    for (const one of held) yield* world.kernel.pages.get(one);
    memory.pages.freePages(page, 0);
    memory.vmalloc.vfree(area);
    const counted = sched.notedObjects.map((object, index) => [object, sched.notedAccesses[index]]);
    for (const one of held) expect(counted).toContainEqual([objectId(frameCounts, one), Access.countDown]);
    for (const one of held) yield* world.kernel.pages.put(one);
  });
  world.finish();
});

test("a flush MUST look at every TLB, and write only those that serve the address space", () => {
  const seen = new Announcements();
  const world = new World({ chooser: seen, cpus: 3 });
  world.run(function* (thread) {
    const at = yield* mapAnonymous(thread, 1);
    yield* thread.store(at, 1);
    const since = seen.steps.length;
    yield* thread.munmap(at, world.page);
    const others = [0, 1, 2].filter((cpu) => cpu !== thread.cpu);
    expect(seen.accesses(tlb, thread.cpu, since)).toEqual(["write"]);
    for (const cpu of others) expect(seen.accesses(tlb, cpu, since)).toEqual(["read"]);
    expect(seen.accesses(cell, thread.mm.flushCell, since)).toEqual(["count up", "read", "count down"]);
  });
  world.finish();
});

describe("a look at what a page is MUST be known to belong to its step:", () => {
  test("that of insertPage is announced before it is made, and counted at the head of a compound page", () => {
    const seen = new Announcements();
    const world = new World({ chooser: seen });
    const { pages, frames } = world.machine.memory;
    const head = pages.getFreePages(1, "compound", owners.driver) as Page;
    frames.clear((head + 1) as Page);
    const device = new TestDevice(world, {
      *mmap(area) {
        return yield* world.kernel.mappings.insertPage(area, area.start, (head + 1) as Page);
      },
    });
    world.run(function* (thread) {
      const at = yield* map(thread, device);
      expect(seen.accesses(frameCounts, head)).toEqual(["read", "count up"]);
      expect(seen.accesses(frameCounts, head + 1)).toEqual([]);
      yield* thread.munmap(at, world.page);
    });
    frames.put(head);
    world.finish();
  });

  test("that of a driver is noted, and meets the freeing of the page", () => {
    const world = new World({ chooser: new Announcements() });
    const { sched, memory } = world.machine;
    const page = memory.pages.allocPage(owners.driver) as Page;
    world.asKernel(function* () {
      yield* world.kernel.sync.shared("a cell", 0).get();
      expect(world.kernel.pages.mayBeMapped(page)).toBe(true);
      expect(sched.notedObjects).toEqual([objectId(frameCounts, page)]);
    });
    memory.frames.put(page);
    world.finish();
  });

  test("that of the core at a page that a hook answered with is noted, and what it refuses is given back by a step", () => {
    const noted = new Set<number>();
    const seen = new Announcements((enabled, last) => {
      for (const object of world.machine.sched.notedObjects) noted.add(object);
      return last !== undefined && enabled.includes(last) ? last : (enabled[0] as Task);
    });
    const world: World = new World({ chooser: seen });
    const { frames } = world.machine.memory;
    const device: TestDevice = new TestDevice(world, {
      pages: 1,
      ops: {
        // The reference is taken where nobody sees it.
        nopage() {
          frames.get(device.pages[0] as Page);
          return mapPage(device.pages[0] as Page);
        },
      },
    });
    const page = device.pages[0] as Page;
    world.run(function* (thread) {
      const at = yield* map(thread, device);
      frames.setFlags(page, PG_hwpoison);
      noted.clear();
      yield* thread.load(at);
      expect([...noted]).toContain(objectId(frameCounts, page));
      expect(seen.accesses(frameCounts, page)).toEqual(["count down"]);
      expect(device.extraReferences).toEqual([0]);
      frames.clearFlags(page, PG_hwpoison);
    });
    world.finish();
  });
});
