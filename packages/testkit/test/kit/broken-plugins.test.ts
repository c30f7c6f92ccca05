import {
  type Area,
  defineStrategy,
  type Fault,
  type Kernel,
  type MappingStrategy,
  type Point,
  type Sleepable,
  type StrategyHooks,
  type VmOps,
} from "@nopage/core";
import { describe, expect, it } from "vitest";
import { plainPages } from "#src/model/plain-pages";
import { runLaws } from "#src/run/run-laws";

const tried = {
  laws: ["LK", "LC-01", "LC-10", "QU-01", "QU-02"],
  geometries: ["x86-64"],
  maxExecutions: 1,
} as const;

/** A strategy that is right but for what is done to its hooks. */
function broken(change: (hooks: StrategyHooks, kernel: Kernel) => StrategyHooks): MappingStrategy {
  return defineStrategy({
    ...plainPages,
    name: "broken",
    supports: { ...plainPages.supports },
    create: (kernel) => change(plainPages.create(kernel), kernel),
  });
}

/** The same, for the operations of its areas. */
function brokenOps(change: (ops: VmOps, kernel: Kernel) => VmOps): MappingStrategy {
  return broken((hooks, kernel) => ({
    ...hooks,
    *mmap(area, backing): Sleepable<VmOps | number> {
      const made = hooks.mmap(area, backing);
      if (typeof made === "number" || Symbol.iterator in made) throw new Error("plain pages answer at once");
      return { ...change(made, kernel), name: "broken" };
    },
  }));
}

function fail(): never {
  throw new Error("out of ideas");
}

function* forEver(): Generator<Point, never, void> {
  for (;;) yield { step: "point" };
}

/** What somebody hands in who does not check types. */
function untyped<T>(value: unknown): T {
  return value as T;
}

function changeable<T extends object>(value: T): { -readonly [K in keyof T]: T[K] } {
  return value;
}

const throwing: readonly (readonly [string, MappingStrategy])[] = [
  ["create", broken(fail)],
  ["mmap", broken((hooks) => ({ ...hooks, mmap: fail }))],
  ["nopage", brokenOps((ops) => ({ ...ops, nopage: fail }))],
  ["open", brokenOps((ops) => ({ ...ops, open: fail }))],
  ["close", brokenOps((ops) => ({ ...ops, close: fail }))],
  ["revoke", broken((hooks) => ({ ...hooks, revoke: fail }))],
  ["restore", broken((hooks) => ({ ...hooks, restore: fail }))],
];

const misshapen: readonly (readonly [string, string, MappingStrategy])[] = [
  ["create", "answered undefined instead of an object with mmap", broken(() => untyped(undefined))],
  ["create", "answered an object whose mmap is undefined and no function", broken(() => untyped({}))],
  [
    "create",
    'answered an object whose revoke is "zap" and no function',
    broken((hooks) => ({ ...hooks, revoke: untyped("zap") })),
  ],
  ["mmap", "answered 5, which is no negated errno", broken((hooks) => ({ ...hooks, mmap: () => 5 }))],
  [
    "mmap",
    "answered undefined instead of operations",
    broken((hooks) => ({ ...hooks, mmap: () => untyped(undefined) })),
  ],
  [
    "mmap",
    "answered an object whose nopage is 7 and no function",
    brokenOps((ops) => ({ ...ops, nopage: untyped(7) })),
  ],
  [
    "nopage",
    "answered undefined instead of a fault outcome",
    brokenOps((ops) => ({ ...ops, nopage: () => untyped(undefined) })),
  ],
];

const endless: readonly (readonly [string, MappingStrategy])[] = [
  ["mmap", broken((hooks) => ({ ...hooks, mmap: forEver }))],
  ["nopage", brokenOps((ops) => ({ ...ops, nopage: forEver }))],
  ["close", brokenOps((ops) => ({ ...ops, close: forEver }))],
  ["revoke", broken((hooks) => ({ ...hooks, revoke: forEver }))],
];

const meddling: readonly (readonly [string, string, MappingStrategy])[] = [
  [
    "nopage",
    "changed the fault's address",
    brokenOps((ops) => ({
      ...ops,
      nopage(fault: Fault) {
        changeable(fault).address = untyped(fault.address + 4096);
        return { kind: "sigbus" };
      },
    })),
  ],
  [
    "mmap",
    "changed the area's end",
    broken((hooks) => ({
      ...hooks,
      mmap(area: Area, backing) {
        changeable(area).end = untyped(area.end + 4096);
        return hooks.mmap(area, backing);
      },
    })),
  ],
  [
    "mmap",
    "changed the backing's pages",
    broken((hooks) => ({
      ...hooks,
      mmap(area, backing) {
        changeable(backing).pages = 1;
        return hooks.mmap(area, backing);
      },
    })),
  ],
  [
    "revoke",
    "changed part 0 of the backing's memory",
    broken((hooks) => ({
      ...hooks,
      revoke(backing) {
        if (backing.memory.kind === "page-array") untyped<unknown[]>(backing.memory.list)[0] = undefined;
      },
    })),
  ],
  [
    "nopage",
    "changed the number of parts of the backing's memory",
    knowing((list) => ({ nopage: () => list.push(list[0]) })),
  ],
  [
    "nopage",
    "changed the number of parts of the backing's memory",
    knowing((list) => ({ nopage: () => list.pop() })),
  ],
  [
    "nopage",
    "changed part 0 of the backing's memory",
    knowing((list) => ({
      nopage() {
        list[0] = list[1];
      },
    })),
  ],
  [
    "open",
    "changed part 1 of the backing's memory",
    knowing((list) => ({
      open() {
        list[1] = list[0];
      },
    })),
  ],
  [
    "close",
    "changed the number of parts of the backing's memory",
    knowing((list) => ({
      close() {
        list.length = 0;
      },
    })),
  ],
  [
    "mmap",
    "changed the number of parts of the backing's memory",
    broken((hooks) => ({
      ...hooks,
      mmap(area, backing) {
        if (backing.memory.kind === "page-array") untyped<unknown[]>(backing.memory.list).push(undefined);
        return hooks.mmap(area, backing);
      },
    })),
  ],
  [
    "mmap",
    "changed the number of the fields of the backing's memory",
    broken((hooks) => ({
      ...hooks,
      mmap(area, backing) {
        Object.assign(backing.memory, { note: "mine" });
        return hooks.mmap(area, backing);
      },
    })),
  ],
  ["mmap", "threw TypeError", liar()],
];

/** Remembers the list of pages that it was handed at mmap, and changes it in another hook. */
function knowing(
  change: (list: unknown[]) => { nopage?(): unknown; open?(): unknown; close?(): unknown },
): MappingStrategy {
  return broken((hooks) => ({
    ...hooks,
    mmap(area, backing) {
      const made = hooks.mmap(area, backing);
      if (typeof made === "number" || Symbol.iterator in made) throw new Error("plain pages answer at once");
      if (backing.memory.kind !== "page-array") return made;
      const { nopage, open, close } = change(untyped<unknown[]>(backing.memory.list));
      return {
        ...made,
        name: "broken",
        ...(nopage !== undefined && {
          nopage(fault: Fault) {
            nopage();
            return made.nopage?.(fault) ?? { kind: "sigbus" };
          },
        }),
        ...(open !== undefined && { open: () => void open() }),
        ...(close !== undefined && { close: () => void close() }),
      };
    },
  }));
}

/** Writes to what it says about itself, once it is at work. */
function liar(): MappingStrategy {
  const strategy: MappingStrategy = broken((hooks) => ({
    ...hooks,
    mmap(area, backing) {
      changeable(strategy.supports).populate = "eager";
      return hooks.mmap(area, backing);
    },
  }));
  return strategy;
}

/** Every law has been run, and what broke one names plugin and hook. */
function mustBlame(strategy: MappingStrategy, blame: string): void {
  const results = runLaws(strategy, tried);
  expect(results.map(({ law }) => law)).toEqual(runLaws(plainPages, tried).map(({ law }) => law));
  const reasons = results.filter(({ status }) => status === "fail").map(({ reason }) => reason);
  expect(reasons.join("\n")).toContain(blame);
}

describe("a plugin that breaks its contract MUST be reported by plugin, hook and law, and the other laws MUST still be run", () => {
  it.each(throwing)("%s throws", (hook, strategy) => {
    mustBlame(strategy, `broken: ${hook} threw Error: out of ideas`);
  });

  it.each(misshapen)("%s %s", (hook, what, strategy) => {
    mustBlame(strategy, `broken: ${hook} ${what}`);
  });

  it.each(endless)("%s never comes to an end", (hook, strategy) => {
    mustBlame(strategy, `broken: ${hook} has not come to an end after `);
  });

  it.each(meddling)("%s %s", (hook, what, strategy) => {
    mustBlame(strategy, `broken: ${hook} ${what}`);
  });

  it("nopage keeps a lock", () => {
    const keeper = brokenOps((ops, kernel) => {
      const lock = kernel.sync.mutex("the keeper's lock");
      return {
        ...ops,
        *nopage(): Sleepable<{ readonly kind: "sigbus" }> {
          yield* lock.lock();
          return { kind: "sigbus" };
        },
      };
    });
    mustBlame(keeper, "broken: nopage has come back and still holds the keeper's lock");
  });
});
