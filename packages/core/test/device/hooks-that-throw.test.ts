import { describe, expect, test } from "vitest";
import type { Area } from "../../src/contract/area.ts";
import { EINVAL } from "../../src/contract/errno.ts";
import type { Sleepable } from "../../src/contract/execution.ts";
import { isTrap } from "../../src/contract/signals.ts";
import { defineStrategy, type StrategyHooks } from "../../src/contract/strategy.ts";
import type { Pfn } from "../../src/contract/units.ts";
import { isGenerator } from "../../src/sched/is-generator.ts";
import type { UserThread } from "../../src/user/user-thread.ts";
import { RegisterBank } from "../support/test-device.ts";
import { ok, RW, World } from "../support/world.ts";

const PAGES = 2;

/** Shows registers, all at once, and does what else it does as the test says. */
function build(change: (area: Area | undefined) => Partial<StrategyHooks>) {
  const world = new World();
  const { machine, kernel } = world;
  const window = machine.memory.io.claim("registers", PAGES, new RegisterBank());
  if (typeof window === "number") throw new Error("no window");
  const run = (area: Area) =>
    ({ address: area.start, pfn: window.startPfn as Pfn, pages: PAGES, leaves: "single" }) as const;
  const strategy = defineStrategy({
    name: "careless",
    supports: {
      populate: "eager",
      backing: ["pfn-run"],
      whileRevoked: "sigbus",
      mremapGrow: false,
      holes: false,
      largeLeaves: false,
      countsPages: [],
      privateWritable: [],
    },
    create: ({ mappings }): StrategyHooks => ({
      *mmap(area) {
        const result = yield* mappings.remapPfnRange(area, run(area));
        return result === 0 ? { name: "careless" } : result;
      },
      *restore(backing) {
        yield* mappings.forEachArea(backing.mapping, function* (area) {
          const { restore } = change(area);
          const answer = restore?.(backing);
          if (isGenerator(answer)) yield* answer;
          yield* mappings.remapMissing(area, run(area));
        });
      },
      ...change(undefined),
    }),
  });
  const inode = machine.devices.register("/dev/careless", {
    name: "careless driver",
    owner: undefined,
    mmap: (_file, area) => binding.mmap(area),
  });
  if (typeof inode === "number") throw new Error("no device");
  const binding = kernel.bind(strategy, {
    name: "registers",
    memory: { kind: "pfn-run", pfn: window.startPfn },
    pages: PAGES,
    cache: "uncached",
    mapping: inode.mapping,
  });
  world.atEnd(() => machine.memory.io.release(window));
  function* map(thread: UserThread): Sleepable<number> {
    const request = { path: "/dev/careless", mode: "read-write", blocking: "blocking" } as const;
    const descriptor = yield* thread.open(request);
    const length = PAGES * world.page;
    const address = yield* thread.mmap({ length, protection: RW, sharing: "shared", descriptor });
    ok(yield* thread.close(descriptor));
    return address;
  }
  return { world, binding, map };
}

const fail = (what: string) => () => {
  throw new TypeError(what);
};

describe("a strategy that throws", () => {
  test("in restore, at one area of three: MUST be reported by name and hook, and the other areas be restored", () => {
    let visited = 0;
    const { world, binding, map } = build((area) =>
      area !== undefined && ++visited === 2 ? { restore: fail("no such area") } : {},
    );
    world.run(function* (thread) {
      const areas = [yield* map(thread), yield* map(thread), yield* map(thread)];
      yield* binding.quiesce();
      yield* binding.resume();
      const trapped = [];
      for (const area of areas) trapped.push(isTrap(yield* thread.load(area)));
      expect(trapped.filter((isTrapped) => isTrapped)).toEqual([true]);
      // No lock was kept, and the next time all is well.
      yield* binding.quiesce();
      yield* binding.resume();
      for (const area of areas) expect(yield* thread.load(area)).toBe(0);
    });
    expect(world.messages).toEqual(["careless: restore threw TypeError: no such area"]);
    world.finish("contract");
  });

  test("in restore as a whole: MUST be reported, and whoever resumes goes on", () => {
    const { world, binding, map } = build((area) =>
      area === undefined ? { restore: fail("not today") } : {},
    );
    let isDone = false;
    world.run(function* (thread) {
      yield* map(thread);
      yield* binding.quiesce();
      yield* binding.resume();
      expect(binding.backing.gate.state).toBe("open");
      isDone = true;
    });
    expect({ isDone, messages: world.messages }).toEqual({
      isDone: true,
      messages: ["careless: restore threw TypeError: not today"],
    });
    world.finish("contract");
  });

  test("in revoke: MUST be reported, and nobody MUST reach the object all the same (QU-01)", () => {
    const { world, binding, map } = build((area) => (area === undefined ? { revoke: fail("cannot") } : {}));
    world.run(function* (thread) {
      const address = yield* map(thread);
      yield* binding.quiesce();
      expect(yield* thread.load(address)).toMatchObject({ signal: "SIGBUS" });
      yield* binding.resume();
      expect(yield* thread.load(address)).toBe(0);
    });
    expect(world.messages).toEqual(["careless: revoke threw TypeError: cannot"]);
    world.finish("contract");
  });

  test("in mmap: MUST be reported by its own name and not the driver's, and the call be EINVAL", () => {
    const { world, map } = build((area) => (area === undefined ? { mmap: fail("what is an area?") } : {}));
    world.run(function* (thread) {
      expect(yield* map(thread)).toBe(-EINVAL);
    });
    expect(world.messages).toEqual(["careless: mmap threw TypeError: what is an area?"]);
    world.finish("contract");
  });

  test("with an answer that is nothing to an mmap: MUST be reported by its own name", () => {
    const { world, map } = build((area) => (area === undefined ? { mmap: () => 7 } : {}));
    world.run(function* (thread) {
      expect(yield* map(thread)).toBe(-EINVAL);
    });
    expect(world.messages).toEqual(["careless: mmap answered 7, which is no negated errno"]);
    world.finish("contract");
  });
});
