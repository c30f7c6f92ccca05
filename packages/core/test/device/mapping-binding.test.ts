import { describe, expect, test } from "vitest";
import { seedsBelow } from "../../../../tools/exploration.ts";
import type { Area } from "../../src/contract/area.ts";
import { VM_READ, VM_WRITE } from "../../src/contract/area-flags.ts";
import type { BackingMemory, PageArray, PfnRun } from "../../src/contract/backing.ts";
import { isError } from "../../src/contract/errno.ts";
import type { MaySleep, Sleepable } from "../../src/contract/execution.ts";
import type { Kernel } from "../../src/contract/kernel.ts";
import { type FaultOutcome, retryWhenOpen, sigbus } from "../../src/contract/outcome.ts";
import { isTrap } from "../../src/contract/signals.ts";
import { defineStrategy, type MappingStrategy } from "../../src/contract/strategy.ts";
import type { Page, Pfn } from "../../src/contract/units.ts";
import type { Fault } from "../../src/contract/vm-ops.ts";
import type { MappingBinding } from "../../src/device/mapping-binding.ts";
import { createKernel } from "../../src/kernel.ts";
import { Machine } from "../../src/machine.ts";
import { owners } from "../../src/memory/owners.ts";
import type { Chooser } from "../../src/sched/chooser.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import type { UserThread } from "../../src/user/user-thread.ts";

const PAGES = 3;
/** For tests of many schedules, on a machine that is busy with others. */
const PATIENCE_MS = 60_000;

/** Changes from one task to another only now and then, so that whole operations fit between two steps of another. */
function reluctant(seed: number): Chooser {
  const random = randomChooser(seed);
  let stay = seed;
  return {
    ...random,
    choose(enabled, last) {
      stay = Math.imul(stay, 0x41c64e6d) + 12345;
      const mayGoOn = last !== undefined && enabled.includes(last) && stay >>> 29 !== 0;
      return mayGoOn ? last : random.choose(enabled, last);
    },
  };
}

const supports = {
  populate: "eager",
  backing: ["pfn-run"],
  whileRevoked: "sigbus",
  mremapGrow: false,
  holes: false,
  largeLeaves: false,
  countsPages: [],
  privateWritable: ["pfn-run"],
} as const;

/** Maps everything at mmap time and again at restore. */
const eager = defineStrategy({
  name: "test-eager",
  supports,
  create(kernel) {
    const ops = { name: "test-eager" };
    // A private area is numbered by frames from the first remap on.
    const run = (area: Area) =>
      ({
        address: area.start,
        pfn: ((area.privateData as number) + area.pgoff) as Pfn,
        pages: area.pages,
        leaves: "single",
      }) as const;
    return {
      *mmap(area, backing) {
        area.privateData = (backing.memory as PfnRun).pfn;
        const result = yield* kernel.mappings.remapPfnRange(area, run(area));
        if (area.pgoff >= PAGES) area.privateData = 0;
        return result === 0 ? ops : result;
      },
      *restore(backing) {
        yield* kernel.mappings.forEachArea(backing.mapping, function* (area) {
          yield* kernel.mappings.remapMissing(area, run(area));
        });
      },
    };
  },
});

/** Answers with pages, each with a reference that is refused once the page is gone. */
const lazy = defineStrategy({
  name: "test-lazy",
  supports: {
    ...supports,
    populate: "lazy",
    backing: ["page-array"],
    whileRevoked: "wait",
    countsPages: ["page-array"],
    privateWritable: ["page-array"],
  },
  create: (kernel) => ({
    mmap: (_area, backing) => ({
      name: "test-lazy",
      nopage(fault: Fault): MaySleep<FaultOutcome> {
        if (fault.gate !== "open") return retryWhenOpen;
        const page =
          fault.pgoff < backing.pages ? (backing.memory as PageArray).list[fault.pgoff] : undefined;
        return page === undefined ? sigbus : kernel.pages.handOver(page);
      },
    }),
  }),
});

interface World {
  readonly machine: Machine;
  readonly kernel: Kernel;
  binding: MappingBinding;
  /** Areas whose mmap has begun. */
  readonly areas: Area[];
  /** Register accesses and entries while there may be none. */
  readonly trespasses: string[];
  forbidden: boolean;
}

function world(strategy: MappingStrategy, seed: number | undefined, memory?: BackingMemory): World {
  const machine = new Machine({
    ramPages: 64,
    ...(seed === undefined ? {} : { chooser: seed % 2 === 0 ? randomChooser(seed) : reluctant(seed) }),
  });
  const kernel = createKernel(machine);
  const world = {
    machine,
    kernel,
    areas: [] as Area[],
    trespasses: [] as string[],
    forbidden: false,
  } as World & {
    binding: MappingBinding;
  };
  const window = machine.memory.io.claim("card", PAGES, {
    read(offset) {
      if (world.forbidden) world.trespasses.push(`${machine.sched.current?.name} reads ${offset}`);
      return 1 + Math.floor(offset / 4096);
    },
    write: () => undefined,
  });
  if (typeof window === "number") throw new Error(`claim: ${window}`);
  const inode = machine.devices.register("/dev/card", {
    name: "card",
    owner: undefined,
    mmap(_file, area) {
      world.areas.push(area);
      return world.binding.mmap(area);
    },
  });
  if (typeof inode === "number") throw new Error(`register: ${inode}`);
  world.binding = kernel.bind(strategy, {
    name: "card",
    memory: memory ?? { kind: "pfn-run", pfn: window.startPfn },
    pages: PAGES,
    cache: "cached",
    mapping: inode.mapping,
  });
  return world;
}

function* open(thread: UserThread): Sleepable<number> {
  return yield* thread.open({ path: "/dev/card", mode: "read-write", blocking: "blocking" });
}

function* map(thread: UserThread, sharing: "shared" | "private" = "shared"): Sleepable<number> {
  const descriptor = yield* open(thread);
  const protection = VM_READ | VM_WRITE;
  const length = PAGES * 4096;
  const address = yield* thread.mmap({ length, protection, sharing, descriptor });
  yield* thread.close(descriptor);
  return address;
}

/** Entries that show the card, in every area that ever did. */
function cardEntries({ machine, areas }: World): number {
  let count = 0;
  const everywhere = [...areas, ...[...machine.mms].flatMap((mm) => mm.areas.all())];
  for (const area of new Set(everywhere)) {
    if (!machine.mms.has(area.mm)) continue;
    for (let at = area.start as number; at < area.end; at += 4096) {
      const entry = area.mm.table.entryOf(at / 4096);
      if (entry !== 0 && Math.floor(entry / 4096) >= machine.memory.frames.total) count++;
    }
  }
  return count;
}

function finish({ machine, trespasses }: World): void {
  const report = machine.sched.run();
  const failures = machine.sched.tasks.flatMap(({ failure }) => (failure === undefined ? [] : [failure]));
  expect({ ...report, steps: 0, failures, violations: machine.violations.list, trespasses }).toEqual({
    status: "finished",
    waiting: [],
    steps: 0,
    failures: [],
    violations: [],
    trespasses: [],
  });
}

/** Quiesces, checks for a while that nobody has an entry or touches the card, and resumes. */
function startTransfer(world: World): void {
  const { kernel, binding } = world;
  const settle = kernel.sync.shared("a moment", 0);
  kernel.time.spawnKernelThread(
    "transfer",
    function* () {
      yield* binding.quiesce();
      world.forbidden = true;
      for (let moment = 0; moment < 4; moment++) {
        const entries = cardEntries(world);
        if (entries > 0) world.trespasses.push(`${entries} entries at moment ${moment}`);
        yield* settle.get();
      }
      world.forbidden = false;
      yield* binding.resume();
    },
    "required",
  );
}

describe("a mapping that is quiesced while", () => {
  const seeds = seedsBelow(1500);

  test(
    "QU-09 an eager mmap runs MUST have no entry when quiesce has returned",
    () => {
      for (const seed of seeds) {
        const under = world(eager, seed);
        under.machine.spawn("p", function* (thread) {
          const address = yield* map(thread);
          if (isError(address)) return;
          yield* thread.nanosleep(1000);
          expect(yield* thread.load(address + 4096)).toBe(2);
        });
        startTransfer(under);
        finish(under);
      }
    },
    PATIENCE_MS,
  );

  test(
    "QU-09 the process forks, moves and splits MUST be restored in every area that is there afterwards",
    () => {
      for (const seed of seeds) {
        const under = world(eager, seed);
        under.machine.spawn("p", function* (thread) {
          const address = yield* map(thread);
          if (isError(address)) return;
          yield* thread.fork(function* (child) {
            yield* child.nanosleep(1000);
            expect(yield* child.load(address + 8192)).toBe(3);
          });
          yield* thread.munmap(address + 4096, 4096);
          const request = { address: address + 8192, oldLength: 4096, newLength: 4096 } as const;
          const moved = yield* thread.mremap({ ...request, moving: "may-move", newAddress: 0x10_0000_0000 });
          yield* thread.nanosleep(1000);
          expect(yield* thread.load(address)).toBe(1);
          expect(yield* thread.load(moved)).toBe(3);
        });
        startTransfer(under);
        finish(under);
      }
    },
    PATIENCE_MS,
  );

  test(
    "a private page of it is copied for a writer MUST NOT be read for that copy afterwards",
    () => {
      for (const seed of seeds) {
        const under = world(eager, seed);
        under.machine.spawn("p", function* (thread) {
          const address = yield* map(thread, "private");
          if (isError(address)) return;
          const trap = yield* thread.store(address, 7);
          const value = yield* thread.load(address);
          if (trap === undefined) expect(value).toBe(7);
        });
        startTransfer(under);
        finish(under);
      }
    },
    PATIENCE_MS,
  );
});

test("RV-04 quiesce MUST leave a process its private copies", () => {
  const under = world(eager, undefined);
  under.machine.spawn("p", function* (thread) {
    const address = yield* map(thread, "private");
    expect(yield* thread.store(address, 7)).toBeUndefined();
    yield* under.binding.quiesce();
    expect(yield* thread.load(address)).toBe(7);
    expect(isTrap(yield* thread.load(address + 4096))).toBe(true);
    yield* under.binding.resume();
    expect(yield* thread.load(address)).toBe(7);
    expect(yield* thread.load(address + 4096)).toBe(2);
    yield* under.binding.remove();
    expect(isTrap(yield* thread.load(address))).toBe(true);
  });
  finish(under);
});

test("MM-08 a refused mmap MUST leave nothing in the reverse map", () => {
  const refusing = { ...eager, create: () => ({ mmap: () => -12 }) } as MappingStrategy;
  const under = world(refusing, undefined);
  under.machine.spawn("p", function* (thread) {
    expect(yield* map(thread)).toBe(-12);
    expect(under.binding.backing.mapping.size).toBe(0);
  });
  finish(under);
});

test(
  "TR-03 a page that is freed by replace while nopage answers with it MUST NOT be used any more",
  () => {
    for (const seed of seedsBelow(1500)) {
      const list: Page[] = [];
      const under = world(lazy, seed, { kind: "page-array", list });
      const { machine, kernel, binding } = under;
      const free = machine.memory.freeFrames;
      for (let index = 0; index < PAGES; index++) {
        list.push(machine.memory.pages.allocZeroedPage(owners.driver) as Page);
      }
      machine.spawn("p", function* (thread) {
        const address = yield* map(thread);
        if (isError(address)) return;
        const values = [yield* thread.load(address), yield* thread.load(address + 8192)];
        expect(isTrap(values[1]) || values[1] === 0).toBe(true);
        expect(values[0]).toBe(0);
      });
      kernel.time.spawnKernelThread(
        "shrink",
        () =>
          binding.replace({ kind: "page-array", list: list.slice(0, 1) }, 1, function* () {
            for (const page of list.splice(1)) yield* kernel.pages.put(page);
          }),
        "required",
      );
      finish(under);
      machine.memory.frames.put(list[0] as Page);
      expect(machine.memory.freeFrames).toBe(free);
    }
  },
  PATIENCE_MS,
);

test("a device that shows two memories on one inode MUST lose the entries of the one that is quiesced, and no others", () => {
  const under = world(eager, undefined);
  const { machine, kernel, binding } = under;
  const { mapping } = binding.backing;
  const window = machine.memory.io.claim("other", PAGES, { read: () => 77, write: () => undefined });
  if (typeof window === "number") throw new Error(`claim: ${window}`);
  const memory = { kind: "pfn-run", pfn: window.startPfn } as const;
  const other = kernel.bind(eager, { name: "other", memory, pages: PAGES, cache: "cached", mapping });
  machine.spawn("p", function* (thread) {
    const own = yield* map(thread);
    under.binding = other;
    const others = yield* map(thread);
    yield* binding.quiesce();
    expect(isTrap(yield* thread.load(own))).toBe(true);
    expect(yield* thread.load(others)).toBe(77);
    yield* binding.resume();
    expect(yield* thread.load(own)).toBe(1);
  });
  finish(under);
});

test("TR-02 a private copy past the new end MUST go when the object shrinks, and no other", () => {
  const list: Page[] = [];
  const under = world(lazy, undefined, { kind: "page-array", list });
  const { machine, binding } = under;
  for (let index = 0; index < PAGES; index++) {
    list.push(machine.memory.pages.allocZeroedPage(owners.driver) as Page);
  }
  machine.spawn("p", function* (thread) {
    const address = yield* map(thread, "private");
    for (let page = 0; page < PAGES; page++) yield* thread.store(address + page * 4096, 7);
    yield* binding.replace(binding.backing.memory, 2, function* () {});
    expect([yield* thread.load(address), yield* thread.load(address + 4096)]).toEqual([7, 7]);
    expect(isTrap(yield* thread.load(address + 8192))).toBe(true);
  });
  finish(under);
});
