import { describe, expect, it } from "vitest";
import { errno, mapRegion, open, runProgram } from "../support/programs.ts";
import { buildWorld, holdings } from "../support/worlds.ts";

describe("opening the device", () => {
  it("a second open MUST fail with EBUSY, in the same process and in another", () => {
    const world = buildWorld();
    const seen: unknown[] = [];
    runProgram(world, function* (thread) {
      seen.push(yield* open(thread), errno(yield* open(thread)));
      const child = world.machine.spawn("other", function* (other) {
        seen.push(errno(yield* open(other)));
      });
      yield* child.waitForEnd();
    });
    expect(seen).toEqual([0, "-EBUSY", "-EBUSY"]);
    expect(holdings(world.machine)).toMatchObject({ openFiles: 0, uses: 0, violations: [] });
  });

  it("MUST succeed again once the first is closed", () => {
    const world = buildWorld();
    runProgram(world, function* (thread) {
      for (let round = 0; round < 3; round++) {
        const file = yield* open(thread);
        expect(errno(file)).toBe(0);
        yield* thread.close(file);
      }
    });
  });

  it("a mapping MUST keep it busy and the module in use after the descriptor is closed (MO-01, MO-02)", () => {
    const world = buildWorld();
    const { module } = world.driver;
    runProgram(world, function* (thread) {
      const file = yield* open(thread);
      const region = yield* mapRegion(thread, file);
      yield* thread.close(file);
      expect(module.uses).toBe(1);
      expect(errno(yield* open(thread))).toBe("-EBUSY");
      expect(errno(yield* world.driver.unload())).toBe("-EAGAIN");
      yield* thread.munmap(region, 65536);
      expect(module.uses).toBe(0);
      expect(errno(yield* open(thread))).toBe(0);
    });
  });

  it("a forked child MUST share the open file, and the last one to leave closes it", () => {
    const world = buildWorld();
    runProgram(world, function* (thread) {
      const file = yield* open(thread);
      const child = yield* thread.fork(function* (own) {
        yield* own.nanosleep(1000);
      });
      if (typeof child === "number") throw new Error("no fork");
      yield* thread.close(file);
      expect(errno(yield* open(thread))).toBe("-EBUSY");
      yield* child.waitForEnd();
      expect(errno(yield* open(thread))).toBe(0);
    });
  });
});
