import { createTestWorld, mapTestDevice, markOf } from "@nopage/testkit";
import { describe, expect, test } from "vitest";
import { eagerRemap } from "../src/index.ts";

const PAGE = 4096;
const OWN = 0x77;
const SIGBUS = expect.objectContaining({ signal: "SIGBUS" });

/** What is seen of each page once the object has only `left` pages any more, with private copies of some of them. */
function seenAfter(left: number, firstPage: number, copied: readonly number[]): readonly unknown[] {
  const world = createTestWorld({ strategy: eagerRemap, backing: "coherent", pages: 6 });
  const { binding } = world.device;
  const seen: unknown[] = [];
  world.run(function* (thread) {
    const address = yield* mapTestDevice(thread, world.device, { sharing: "private", firstPage });
    for (const page of copied) yield* thread.store(address + (page - firstPage) * PAGE, OWN);
    yield* binding.replace(binding.backing.memory, left, function* () {});
    for (let page = firstPage; page < 6; page++)
      seen.push(yield* thread.load(address + (page - firstPage) * PAGE));
    yield* binding.replace(binding.backing.memory, 6, function* () {});
    yield* thread.munmap(address, (6 - firstPage) * PAGE);
  });
  return seen;
}

describe("an object that shrinks under a private writable mapping, which is numbered by frames (RE-03)", () => {
  test("TR-02 private copies past the new end MUST go, and no others", () => {
    expect(seenAfter(3, 0, [1, 2, 3, 5])).toEqual([markOf(0), OWN, OWN, SIGBUS, SIGBUS, SIGBUS]);
  });

  test("TR-02 the same MUST hold of a mapping that begins further in", () => {
    expect(seenAfter(3, 2, [2, 4])).toEqual([OWN, SIGBUS, SIGBUS, SIGBUS]);
  });

  test("TR-02 and of the parts of a mapping that was split, moved and forked", () => {
    const world = createTestWorld({ strategy: eagerRemap, backing: "coherent", pages: 6 });
    const { binding } = world.device;
    world.run(function* (thread) {
      const address = yield* mapTestDevice(thread, world.device, { sharing: "private" });
      for (let page = 0; page < 6; page++) yield* thread.store(address + page * PAGE, OWN + page);
      yield* thread.munmap(address + PAGE, PAGE);
      const moved = yield* thread.mremap({
        address: address + 3 * PAGE,
        oldLength: 3 * PAGE,
        newLength: 3 * PAGE,
        moving: "may-move",
        newAddress: 2 ** 29,
      });
      const child = yield* thread.fork(function* (own) {
        yield* own.nanosleep(1000);
        expect(yield* own.load(address + 2 * PAGE)).toBe(OWN + 2);
        expect(yield* own.load(moved)).toBe(OWN + 3);
        expect(yield* own.load(moved + PAGE)).toEqual(SIGBUS);
      });
      yield* binding.replace(binding.backing.memory, 4, function* () {});
      expect(yield* thread.load(address)).toBe(OWN);
      expect(yield* thread.load(address + 2 * PAGE)).toBe(OWN + 2);
      expect(yield* thread.load(moved)).toBe(OWN + 3);
      expect(yield* thread.load(moved + PAGE)).toEqual(SIGBUS);
      expect(yield* thread.load(moved + 2 * PAGE)).toEqual(SIGBUS);
      if (typeof child !== "number") yield* child.waitForEnd();
    });
  });
});
