import { describe, expect, it } from "vitest";
import { seedsBelow } from "../../../../tools/exploration.ts";
import type { Sleepable } from "../../src/contract/execution.ts";
import type { IntervalSubscription, InvalidateRange, MmuNotifier } from "../../src/contract/mmu-notifier.ts";
import { migratePage } from "../../src/mm/migrate.ts";
import type { Mm } from "../../src/mm/mm.ts";
import { oomReap } from "../../src/mm/oom-reap.ts";
import { PTE_READ, PTE_WRITE, ptePfn } from "../../src/mmu/pte.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import type { UserThread } from "../../src/user/user-thread.ts";
import { map, mapAnonymous, TestDevice } from "../support/test-device.ts";
import { ok, RW, runProgram, World } from "../support/world.ts";

const SEEDS = 300;

/** A follower that writes down what it is told, and sleeps in its callbacks if a queue of time is given. */
class Recorder implements MmuNotifier {
  readonly name: string;
  readonly told: string[] = [];
  depth = 0;
  releases = 0;
  isGone = false;
  readonly late: string[] = [];
  readonly #pause: (() => Sleepable<void>) | undefined;

  constructor(name: string, pause?: () => Sleepable<void>) {
    this.name = name;
    this.#pause = pause;
  }

  *invalidateRangeBegin(range: InvalidateRange): Sleepable<number> {
    this.depth++;
    this.told.push(range.event);
    yield* this.#called("begin");
    return 0;
  }

  *invalidateRangeEnd(): Sleepable<void> {
    this.depth--;
    yield* this.#called("end");
  }

  *release(): Sleepable<void> {
    this.releases++;
    yield* this.#called("release");
  }

  *#called(what: string): Sleepable<void> {
    if (this.isGone) this.late.push(what);
    if (this.#pause !== undefined) yield* this.#pause();
    if (this.isGone) this.late.push(what);
  }
}

/** Every schedule ends, without violations and leaks. */
function everySchedule(program: (world: World, seed: number) => void, seeds = SEEDS): void {
  for (const seed of seedsBelow(seeds)) {
    const world = new World({ chooser: randomChooser(seed), cpus: 3 });
    program(world, seed);
    const { status, waiting } = world.run();
    expect({ seed, status, waiting }).toEqual({ seed, status: "finished", waiting: [] });
    world.finish();
  }
}

/** Follows from a thread of the process. */
function* follow(world: World, thread: UserThread, notifier: MmuNotifier): Sleepable<void> {
  expect(yield* world.kernel.mappings.registerNotifier(thread.mm, notifier)).toBe(0);
}

describe("followers in a list", () => {
  it("MN-15 each operation MUST tell what kind of event it is, and begins and ends pair", () => {
    runProgram((world) => {
      const { page } = world;
      const follower = new Recorder("follower");
      const device = new TestDevice(world, { pages: 1 });
      return function* (thread) {
        const memory = yield* mapAnonymous(thread, 4);
        const shown = yield* map(thread, device);
        for (let at = 0; at < 4; at++) yield* thread.store(memory + at * page, 1);
        yield* thread.load(shown);
        yield* follow(world, thread, follower);
        const expectTold = (...events: string[]) => expect(follower.told.splice(0)).toEqual(events);
        ok(yield* thread.madvise(memory, page, "dontneed"));
        expectTold("clear");
        ok(yield* thread.mprotect(memory + page, page, 1));
        expectTold("protection-vma");
        yield* migratePage(thread.mm, memory + 2 * page);
        expectTold("migrate");
        yield* world.kernel.mappings.unmapMappingRange(device.inode.mapping, 0, 0, "even-cows");
        expectTold("clear");
        yield* thread.fork(function* () {});
        expect(new Set(follower.told.splice(0))).toEqual(new Set(["protection-page"]));
        yield* thread.store(memory + 2 * page, 2);
        expectTold("clear");
        const size = { oldLength: page, newLength: page, newAddress: 0x1000_0000 };
        ok(yield* thread.mremap({ address: memory + 3 * page, ...size, moving: "may-move" }));
        expect(new Set(follower.told.splice(0))).toEqual(new Set(["unmap"]));
        ok(yield* thread.munmap(memory, page));
        expectTold("unmap");
        expect(yield* oomReap(thread.mm)).toBe(0);
        expect(new Set(follower.told.splice(0))).toEqual(new Set(["unmap"]));
        expect(follower.depth).toBe(0);
        yield* world.kernel.mappings.unregisterNotifier(thread.mm, follower);
        expect(follower.releases).toBe(1);
      };
    });
  });

  it("MN-14 a forked child MUST inherit no follower", () => {
    everySchedule((world) => {
      const follower = new Recorder("follower");
      world.spawn(function* (thread) {
        const memory = yield* mapAnonymous(thread, 1);
        yield* follow(world, thread, follower);
        yield* thread.fork(function* (child) {
          expect(child.mm.notifiers.isEmpty).toBe(true);
          yield* child.store(memory, 1);
          yield* child.munmap(memory, world.page);
        });
      });
      world.atEnd(() =>
        expect({ ...follower, told: follower.told.includes("unmap") }).toMatchObject({ told: false }),
      );
    }, 50);
  });

  it("who begins to follow in the middle of an unheard invalidation MUST NOT see an entry that goes unheard", () => {
    everySchedule((world) => {
      const device = new TestDevice(world, { pages: 2 });
      const follower = new Recorder("follower");
      world.spawn(function* (thread) {
        const memory = yield* map(thread, device, { pages: 2 });
        yield* thread.load(memory);
        yield* thread.load(memory + world.page);
        world.kernel.time.spawnKernelThread("zap", zap, "required");
        yield* follow(world, thread, follower);
        const entries = () => [0, 1].map((at) => thread.mm.table.entryOf(memory / world.page + at) !== 0);
        const seen = entries();
        yield* thread.nanosleep(1000);
        if (entries().some((stands, at) => !stands && seen[at])) expect(follower.told).toEqual(["clear"]);
        yield* world.kernel.mappings.unregisterNotifier(thread.mm, follower);
      });
      function* zap(): Sleepable<void> {
        yield* world.kernel.mappings.unmapMappingRange(device.inode.mapping, 0, 0, "even-cows");
      }
    });
  });

  it("MN-11 no callback MUST run once unregister has returned, also in the middle of a walk", () => {
    everySchedule((world) => {
      const pause = () => world.kernel.time.sleep(5);
      const first = new Recorder("first", pause);
      const second = new Recorder("second", pause);
      world.spawn(function* (thread) {
        const memory = yield* mapAnonymous(thread, 3);
        for (let at = 0; at < 3; at++) yield* thread.store(memory + at * world.page, 1);
        yield* follow(world, thread, first);
        yield* follow(world, thread, second);
        thread.spawn(function* (sibling) {
          for (let at = 0; at < 3; at++) yield* sibling.munmap(memory + at * world.page, world.page);
        });
        yield* world.kernel.mappings.unregisterNotifier(thread.mm, second);
        second.isGone = true;
      });
      world.atEnd(() => expect(second.late).toEqual([]));
    });
  });

  it("MN-12 exit MUST wait for a release that an unregister is calling, and release runs once", () => {
    everySchedule((world) => {
      let isInside = false;
      let early = 0;
      let releases = 0;
      const follower: MmuNotifier = {
        name: "follower",
        *release(mm: Mm) {
          releases++;
          isInside = true;
          yield* world.kernel.time.sleep(5);
          if (mm.table.entryOf(target) === 0) early++;
          isInside = false;
        },
      };
      let target = 0;
      const unregister = (mm: Mm) =>
        function* (): Sleepable<void> {
          yield* world.kernel.mappings.unregisterNotifier(mm, follower);
          expect(isInside).toBe(false);
        };
      world.spawn(function* (thread) {
        const memory = yield* mapAnonymous(thread, 1);
        yield* thread.store(memory, 1);
        target = memory / world.page;
        yield* follow(world, thread, follower);
        world.kernel.time.spawnKernelThread("driver", unregister(thread.mm), "required");
      });
      world.atEnd(() => expect({ releases, early }).toEqual({ releases: 1, early: 0 }));
    });
  });

  it("MN-02, MN-05 a refusal MUST leave every count balanced, and the reaper comes again", () => {
    runProgram((world) => {
      const polite = new Recorder("polite");
      const refusing: MmuNotifier = {
        name: "refusing",
        invalidateRangeBegin: ({ blockable }) => (blockable ? 0 : -11),
      };
      return function* (thread) {
        const memory = yield* mapAnonymous(thread, 1);
        yield* thread.store(memory, 7);
        yield* follow(world, thread, polite);
        yield* follow(world, thread, refusing);
        expect(yield* oomReap(thread.mm)).toBe(-11);
        expect(polite.told).toEqual(["unmap"]);
        expect(polite.depth).toBe(0);
        expect(yield* thread.load(memory)).toBe(7);
        yield* world.kernel.mappings.unregisterNotifier(thread.mm, refusing);
        expect(yield* oomReap(thread.mm)).toBe(0);
        expect(yield* thread.load(memory)).toBe(0);
      };
    });
  });

  it("MN-05 a callback that sleeps where it may not MUST be reported", () => {
    const world = new World();
    const sleeper = new Recorder("sleeper", () => world.kernel.time.sleep(5));
    world.run(function* (thread) {
      yield* mapAnonymous(thread, 1);
      yield* follow(world, thread, sleeper);
      yield* oomReap(thread.mm);
    });
    world.finish("sleep-in-atomic", "sleep-in-atomic");
  });

  it("MN-16 registering with the mmap lock held MUST deadlock with itself", () => {
    const world = new World();
    const { status } = world.run(function* (thread) {
      yield* thread.mm.lock.write();
      yield* world.kernel.mappings.registerNotifier(thread.mm, { name: "follower" });
    });
    expect(status).toBe("deadlock");
  });

  it("MN-17 unregistering from a callback MUST be reported and not waited for", () => {
    const world = new World();
    const follower: MmuNotifier = {
      name: "follower",
      *invalidateRangeBegin({ mm }) {
        yield* world.kernel.mappings.unregisterNotifier(mm, follower);
        return 0;
      },
    };
    world.run(function* (thread) {
      const memory = yield* mapAnonymous(thread, 1);
      yield* follow(world, thread, follower);
      yield* thread.munmap(memory, world.page);
    });
    world.finish("contract");
  });

  it("MN-13 a process that is gone MUST NOT be followed", () => {
    const world = new World();
    const process = world.spawn(function* () {});
    world.run();
    expect(world.asKernel(() => world.kernel.mappings.registerNotifier(process.mm, { name: "late" }))).toBe(
      -14,
    );
    world.finish();
  });
});

describe("followers of an interval", () => {
  it("MN-09, MN-10 one that is inserted during an invalidation MUST start out as colliding", () => {
    everySchedule((world) => {
      world.spawn(function* (thread) {
        const memory = yield* mapAnonymous(thread, 2);
        yield* thread.store(memory, 1);
        let inserted: IntervalSubscription | undefined;
        let collided = false;
        const late = { name: "late", invalidate: () => true };
        yield* follow(world, thread, {
          name: "inserts",
          *invalidateRangeBegin({ mm, start, end }) {
            const subscription = yield* world.kernel.mappings.insertInterval(mm, start, end, late);
            if (typeof subscription === "number") throw new Error("no subscription");
            inserted = subscription;
            collided = (yield* subscription.tryReadBegin()) === undefined;
            return 0;
          },
        });
        yield* thread.madvise(memory, world.page, "dontneed");
        expect(collided).toBe(true);
        if (inserted === undefined) return;
        expect(yield* inserted.tryReadBegin()).not.toBeUndefined();
        yield* inserted.remove();
      });
    }, 30);
  });
});

describe("MN-01", () => {
  it("every entry that goes or narrows in a followed mm MUST do so between a begin and an end that cover it", () => {
    for (const seed of seedsBelow(SEEDS)) {
      const world = new World({ chooser: randomChooser(seed), cpus: 3, eventLog: "on" });
      const { page } = world;
      let mmId = 0;
      world.spawn(function* (thread) {
        const memory = yield* mapAnonymous(thread, 3, { protection: RW });
        for (let at = 0; at < 3; at++) yield* thread.store(memory + at * page, 1);
        yield* follow(world, thread, { name: "follower" });
        mmId = thread.mm.id;
        thread.spawn(function* (sibling) {
          for (let at = 0; at < 3; at++) yield* sibling.store(memory + at * page, 2);
          yield* sibling.mprotect(memory, page, 1);
        });
        yield* thread.fork(function* (child) {
          yield* child.store(memory, 3);
        });
        yield* migratePage(thread.mm, memory + page);
        yield* thread.madvise(memory + 2 * page, page, "dontneed");
        yield* thread.munmap(memory, page);
      });
      expect(world.run().status).toBe("finished");
      expect({ seed, unheard: unheardChanges(world, mmId) }).toEqual({ seed, unheard: [] });
      world.finish();
    }
  });
});

/** Changes of an mm's entries that took something away while nobody had been told, from the first telling on. */
function unheardChanges(world: World, mmId: number): readonly string[] {
  const entries = new Map<number, number>();
  const open: (readonly [number, number])[] = [];
  const unheard: string[] = [];
  let isFollowed = false;
  const change = (vpn: number, after: number) => {
    const before = entries.get(vpn) ?? 0;
    entries.set(vpn, after);
    const address = vpn * world.page;
    const isHeard = open.some(([start, end]) => address >= start && address < end);
    if (isFollowed && !isHeard && isLess(before, after)) unheard.push(`page ${vpn}`);
  };
  for (const { name, fields } of world.machine.log.events()) {
    const [mm, first = 0, second = 0] = Object.values(fields);
    if (mm !== mmId) continue;
    if (name === "notifier-begin") {
      isFollowed = true;
      open.push([first, second]);
    } else if (name === "notifier-end") {
      open.splice(
        open.findIndex(([start, end]) => start === first && end === second),
        1,
      );
    } else if (name === "notifier-release") isFollowed = false;
    else if (name === "pte-set") change(first, second);
    else if (name === "pte-clear") for (let at = 0; at < second; at++) change(first + at, 0);
  }
  return unheard;
}

/** Whether an entry shows another frame than before, or the same with fewer rights. */
function isLess(before: number, after: number): boolean {
  const rights = PTE_READ | PTE_WRITE;
  return before !== 0 && (ptePfn(before) !== ptePfn(after) || (before & ~after & rights) !== 0);
}
