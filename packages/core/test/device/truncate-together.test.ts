import { expect, test } from "vitest";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import { ok, RW, started, World } from "../support/world.ts";

test("two truncations of one file drop each page once, over random schedules", () => {
  for (let seed = 0; seed < 60; seed++) {
    const world = new World({ chooser: randomChooser(seed) });
    world.run(function* (thread) {
      const { page } = world;
      const descriptor = ok(yield* thread.memfdCreate("file"));
      ok(yield* thread.ftruncate(descriptor, 4 * page));
      const at = ok(yield* thread.mmap({ length: 4 * page, protection: RW, sharing: "shared", descriptor }));
      for (let index = 0; index < 4; index++) yield* thread.store(at + index * page, index);
      thread.spawn(function* (own) {
        expect(yield* own.ftruncate(descriptor, page)).toBe(0);
      });
      expect(yield* thread.ftruncate(descriptor, 2 * page)).toBe(0);
    });
    world.finish();
  }
});

test("a file that grows while it is cut shows what was stored after it had grown, over random schedules", () => {
  let grownLast = 0;
  for (let seed = 0; seed < 150; seed++) {
    const world = new World({ chooser: randomChooser(seed) });
    world.run(function* (thread) {
      const { page } = world;
      const descriptor = ok(yield* thread.memfdCreate("file"));
      ok(yield* thread.ftruncate(descriptor, page));
      const at = ok(yield* thread.mmap({ length: page, protection: RW, sharing: "shared", descriptor }));
      yield* thread.store(at, 1);
      const other = started(
        thread.spawn(function* (own) {
          expect(yield* own.ftruncate(descriptor, 100)).toBe(0);
        }),
      );
      expect(yield* thread.ftruncate(descriptor, page)).toBe(0);
      yield* thread.store(at + 200, 7);
      while (other.task.state !== "done") yield* thread.nanosleep(100);
      if (thread.process.file(descriptor)?.inode.size !== page) return;
      grownLast++;
      expect(yield* thread.load(at + 200), `seed ${seed}`).toBe(7);
    });
    world.finish();
  }
  expect(grownLast).toBeGreaterThan(20);
});

test("what is cut inside a page reads as zeros through every alias of a virtually indexed cache", () => {
  const world = new World({ dataCache: "virtually-indexed" });
  world.run(function* (thread) {
    const { page } = world;
    const descriptor = ok(yield* thread.memfdCreate("file"));
    ok(yield* thread.ftruncate(descriptor, page));
    const shape = { length: page, protection: RW, sharing: "shared", descriptor } as const;
    const at = ok(yield* thread.mmap(shape));
    yield* thread.store(at + 200, 7);
    ok(yield* thread.ftruncate(descriptor, 100));
    ok(yield* thread.ftruncate(descriptor, page));
    expect(yield* thread.load(at + 200)).toBe(0);
    expect(yield* thread.load(ok(yield* thread.mmap(shape)) + 200)).toBe(0);
  });
  world.finish();
});
