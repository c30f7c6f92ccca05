import { describe, expect, it } from "vitest";
import { runsOf, seedsBelow } from "../../../../tools/exploration.ts";
import type { Sleepable } from "../../src/contract/execution.ts";
import type {
  IntervalNotifier,
  IntervalSubscription,
  InvalidateRange,
} from "../../src/contract/mmu-notifier.ts";
import type { UserAddress } from "../../src/contract/units.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import type { UserThread } from "../../src/user/user-thread.ts";
import { map, mapAnonymous, TestDevice } from "../support/test-device.ts";
import { ok, runProgram, World } from "../support/world.ts";

/** Follows as a mirror does, and counts; it sleeps in its callback if told how. */
class Follower implements IntervalNotifier {
  readonly name: string;
  told = 0;
  inside = 0;
  readonly #pause: (() => Sleepable<void>) | undefined;

  constructor(name: string, pause?: () => Sleepable<void>) {
    this.name = name;
    this.#pause = pause;
  }

  *invalidate(
    _range: InvalidateRange,
    subscription: IntervalSubscription,
    sequence: number,
  ): Sleepable<boolean> {
    this.told++;
    this.inside++;
    yield* subscription.setSequence(sequence);
    if (this.#pause !== undefined) yield* this.#pause();
    this.inside--;
    return true;
  }
}

function* follow(
  world: World,
  thread: UserThread,
  start: number,
  pages: number,
  follower: IntervalNotifier,
): Sleepable<IntervalSubscription> {
  const end = (start + pages * world.page) as UserAddress;
  const { mappings } = world.kernel;
  const subscription = yield* mappings.insertInterval(thread.mm, start as UserAddress, end, follower);
  if (typeof subscription === "number") throw new Error(`no subscription: ${subscription}`);
  return subscription;
}

/** Every schedule ends, without violations and leaks. */
function everySchedule(
  seeds: number,
  program: (world: World, thread: UserThread, seed: number) => Sleepable<void>,
) {
  for (const seed of seedsBelow(seeds)) {
    const world = new World({ chooser: randomChooser(seed), cpus: 3 });
    const { status, waiting } = world.run((thread) => program(world, thread, seed));
    expect({ seed, status, waiting }).toEqual({ seed, status: "finished", waiting: [] });
    world.finish();
  }
}

describe("a subscription that is removed", () => {
  it("MN-11 MUST be told of nothing once remove has returned, nor be in the middle of being told", () => {
    let met = 0;
    everySchedule(200, function* (world, thread, seed) {
      const follower = new Follower("follower", () => world.kernel.time.sleep(5));
      const elsewhere = yield* mapAnonymous(thread, 1);
      const memory = yield* mapAnonymous(thread, 3);
      for (let at = 0; at < 3; at++) yield* thread.store(memory + at * world.page, 1);
      const subscription = yield* follow(world, thread, memory, 3, follower);
      thread.spawn(function* (sibling) {
        for (let at = 0; at < 3; at++) ok(yield* sibling.munmap(memory + at * world.page, world.page));
      });
      // In half of the schedules not before the first invalidation has begun.
      while (seed % 2 === 0 && follower.told === 0) yield* thread.load(elsewhere);
      if (follower.inside > 0) met++;
      yield* subscription.remove();
      const { told, inside } = follower;
      expect({ seed, inside }).toEqual({ seed, inside: 0 });
      yield* thread.nanosleep(1000);
      expect({ seed, told: follower.told }).toEqual({ seed, told });
      expect(thread.mm.notifiers.isEmpty).toBe(true);
    });
    expect(met).toBeGreaterThan(runsOf(200) / 4);
  });

  it("MUST let go at once if it was inserted during the same invalidation, and be told of nothing later", () => {
    runProgram((world) => {
      const late = new Follower("late");
      return function* (thread) {
        const memory = yield* mapAnonymous(thread, 2);
        yield* thread.store(memory, 1);
        let wasEmpty = false;
        const inserting = new Follower("inserting", function* () {
          if (inserting.told > 1) return;
          const subscription = yield* follow(world, thread, memory, 2, late);
          // The invalidation that holds the insertion up waits for this callback: remove must not wait for it.
          yield* subscription.remove();
          wasEmpty = late.told === 0;
        });
        const first = yield* follow(world, thread, memory, 2, inserting);
        ok(yield* thread.madvise(memory, world.page, "dontneed"));
        expect(wasEmpty).toBe(true);
        ok(yield* thread.madvise(memory, world.page, "dontneed"));
        expect({ first: inserting.told, late: late.told }).toEqual({ first: 2, late: 0 });
        yield* first.remove();
        expect(thread.mm.notifiers.isEmpty).toBe(true);
      };
    });
  });
});

describe("a subscription that is inserted", () => {
  it("MN-10 during an invalidation that hit another MUST collide until that ends, and be told of the next", () => {
    runProgram((world) => {
      const late = new Follower("late");
      return function* (thread) {
        const memory = yield* mapAnonymous(thread, 2);
        yield* thread.store(memory, 1);
        const subscriptions: IntervalSubscription[] = [];
        let seen: number | undefined = 0;
        const inserting = new Follower("inserting", function* () {
          if (inserting.told > 1) return;
          const subscription = yield* follow(world, thread, memory, 2, late);
          seen = yield* subscription.tryReadBegin();
          subscriptions.push(subscription);
        });
        subscriptions.push(yield* follow(world, thread, memory, 2, inserting));
        ok(yield* thread.madvise(memory, world.page, "dontneed"));
        expect({ seen, told: late.told }).toEqual({ seen: undefined, told: 0 });
        ok(yield* thread.madvise(memory, world.page, "dontneed"));
        expect(late.told).toBe(1);
        for (const subscription of subscriptions) yield* subscription.remove();
      };
    });
  });

  it("MN-10 during an invalidation that nobody hears of MUST collide: no entry that goes unheard may be copied", () => {
    let collided = 0;
    everySchedule(300, function* (world, thread, seed) {
      const device = new TestDevice(world, { pages: 2 });
      const follower = new Follower("follower");
      const memory = yield* map(thread, device, { pages: 2 });
      for (let at = 0; at < 2; at++) yield* thread.load(memory + at * world.page);
      const entry = (at: number) => thread.mm.table.entryOf(memory / world.page + at);
      function* zap(): Sleepable<void> {
        yield* world.kernel.mappings.unmapMappingRange(device.inode.mapping, 0, 0, "even-cows");
      }
      world.kernel.time.spawnKernelThread("zap", zap, "required");
      const subscription = yield* follow(world, thread, memory, 2, follower);
      const sequence = yield* subscription.tryReadBegin();
      const copied = [0, 1].map((at) => entry(at) !== 0);
      yield* thread.nanosleep(1000);
      const lost = copied.filter((had, at) => had && entry(at) === 0).length;
      if (sequence === undefined) collided++;
      else if (lost > 0) expect({ seed, told: follower.told }).toEqual({ seed, told: 1 });
      expect(yield* subscription.tryReadBegin()).not.toBeUndefined();
      yield* subscription.remove();
    });
    expect(collided).toBeGreaterThan(0);
  });
});
