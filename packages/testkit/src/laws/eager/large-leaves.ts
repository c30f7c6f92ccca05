import { ENOMEM, installed, isError, type Pfn, sigbus, VM_PFNMAP } from "@nopage/core";
import { must, mustBe, mustFail, mustReach, SIGBUS, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { LawCase, Stage } from "../law.ts";
import { mustHaveFaulted } from "../support/accounts.ts";
import { type BareFrames, bareFrames } from "../support/bare-frames.ts";
import { forked } from "../support/forked.ts";
import { hasNoLeaf, LEAF_ADDRESS, leafOf, levelAt } from "../support/large-leaves.ts";
import { mapPlanted, plantDevice, setOps } from "../support/planted-device.ts";
import { ShortMemory } from "../support/short-memory.ts";

const memory = new ShortMemory();

/** A multiple of a leaf of leaves. */
const LARGEST_LEAF_ADDRESS = 0x4000_0000;

/** A case on bare frames that fill some large leaves. */
function onLeaves(
  shape: Pick<LawCase, "when"> & Partial<LawCase>,
  program: (frames: BareFrames, stage: Stage) => Steps<void>,
): LawCase {
  return {
    schedule: "sequential",
    executor: "model",
    kinds: "one",
    excluded: hasNoLeaf,
    ...shape,
    *program(stage) {
      yield* program(yield* bareFrames(2 * leafOf(stage), "large"), stage);
    },
  };
}

/** Maps the frames by large leaves, which must come about: the address. */
function* mapLarge(frames: BareFrames, sharing: "shared" | "private"): Steps<number> {
  const address = yield* frames.map({ fixedAt: LEAF_ADDRESS, sharing });
  mustBe("the level of the entries that a remap makes", yield* levelAt(address), 1);
  return address;
}

/** Pages at the ends of two leaves must show themselves, but for `others`. */
function* mustShowLeaves(
  what: string,
  frames: BareFrames,
  { subject: { pageSize } }: Stage,
  others: Readonly<Record<number, number>> = {},
): Steps<void> {
  const half = frames.pages / 2;
  for (const page of [0, 1, half - 1, half, frames.pages - 1]) {
    const seen = yield* user.load(LEAF_ADDRESS + page * pageSize);
    mustBe(`${what}: page ${page}`, seen, others[page] ?? frames.markOf(page));
  }
}

/** RE-11: fork copies a large leaf as one, and either side may take its own apart. */
export const forkedLeafCases: readonly LawCase[] = [
  onLeaves({ when: "large leaves" }, function* (frames, stage) {
    const { pageSize } = stage.subject;
    const address = yield* mapLarge(frames, "shared");
    yield* forked(function* () {
      const before = yield* user.faults();
      mustBe("the level of the child's entries", yield* levelAt(address), 1);
      yield* mustShowLeaves("the child's mapping", frames, stage);
      mustReach("a store of the child", yield* user.store(address + pageSize, 77));
      yield* mustHaveFaulted("the child's first touches", before, { minor: 0, major: 0 });
      yield* succeed("munmap of a page by the child", user.munmap(address, pageSize));
      mustBe("what the child reads beside it", yield* user.load(address + pageSize), 77);
    });
    mustBe("the level of the parent's entries", yield* levelAt(address), 1);
    yield* mustShowLeaves("the parent's mapping", frames, stage, { 1: 77 });
  }),
  onLeaves({ when: "large leaves, while another thread stores", schedule: "racy" }, function* (frames) {
    const address = yield* mapLarge(frames, "shared");
    const other = yield* user.thread(function* () {
      mustReach("a store during the fork", yield* user.store(address, 77));
    }, "other");
    yield* forked(function* () {
      const seen = yield* user.load(address);
      must(seen === 77 || seen === frames.markOf(0), `the child reads ${String(seen)}, which nobody stored`);
    });
    yield* user.join(other);
    mustBe("what the parent reads", yield* user.load(address), 77);
  }),
];

/** RE-12: a store to a private mapping takes its one page out of the large leaf. */
export const privateLeafCase: LawCase = onLeaves({ when: "large leaves" }, function* (frames, stage) {
  const { pageSize } = stage.subject;
  const address = yield* mapLarge(frames, "private");
  const child = yield* user.fork(function* () {
    mustBe("the level of the child's entries", yield* levelAt(address), 1);
    mustReach("a store of the child", yield* user.store(address + pageSize, 78));
    yield* mustShowLeaves("the child's mapping", frames, stage, { 1: 78 });
  });
  mustReach("a store of the parent", yield* user.store(address, 77));
  yield* mustShowLeaves("the parent's mapping", frames, stage, { 0: 77 });
  if (typeof child !== "number") yield* user.join(child);
  yield* mustShowLeaves("the parent's mapping in the end", frames, stage, { 0: 77 });
  yield* succeed("munmap", user.munmap(address, frames.pages * pageSize));
  yield* mapLarge(frames, "shared");
  yield* mustShowLeaves("the device", frames, stage);
});

/** LC-05: a fork that has no memory for the tables that a large leaf may be taken apart into. */
export const forkWithoutTablesCase: LawCase = onLeaves(
  { when: "of large leaves", machine: { allocations: memory } },
  function* (frames, stage) {
    const address = yield* mapLarge(frames, "shared");
    yield* memory.untilEnough(
      "fork",
      () =>
        user.fork(function* () {
          yield* mustComeApart(frames, stage);
        }),
      function* (child) {
        if (typeof child !== "number") {
          yield* user.join(child);
          return false;
        }
        mustFail("fork without memory", child, ENOMEM);
        mustBe("the level of the parent's entries", yield* levelAt(address), 1);
        return true;
      },
    );
    yield* mustShowLeaves("the parent's mapping", frames, stage);
  },
);

/** RE-05: a remap by large leaves that finds no memory. */
export const remapWithoutTablesCase: LawCase = onLeaves(
  { when: "large leaves, without memory for tables", machine: { allocations: memory } },
  function* (frames, stage) {
    const descriptor = yield* frames.open();
    yield* memory.untilEnough(
      "mmap",
      () => frames.tryMap({ fixedAt: LEAF_ADDRESS, descriptor }),
      function* (answer) {
        if (!isError(answer)) return false;
        mustFail("mmap without memory", answer, ENOMEM);
        mustBe("entries that the remap has left behind", frames.entries(), 0);
        return true;
      },
    );
    yield* mustShowLeaves("the mapping", frames, stage);
    yield* mustComeApart(frames, stage);
    yield* user.close(descriptor);
  },
);

/** Without any memory a page must be taken out of a leaf, for which the tables were laid by; the others stay. */
function* mustComeApart(frames: BareFrames, { subject: { pageSize } }: Stage): Steps<void> {
  memory.left = 0;
  yield* zap(LEAF_ADDRESS, LEAF_ADDRESS + pageSize);
  memory.refill();
  mustBe("a page that was zapped", yield* user.load(LEAF_ADDRESS), SIGBUS);
  mustBe("the page beside it", yield* user.load(LEAF_ADDRESS + pageSize), frames.markOf(1));
}

/** RE-04: what is there stays, by whatever leaves it is mapped and remapped. */
export const remapOverLeafCases: readonly LawCase[] = [
  ...(["single", "large"] as const).map((leaves) =>
    onLeaves(
      { when: `${leaves} leaves over large ones`, provokes: "remap-over-present" },
      function* (frames, stage) {
        const address = yield* mapLarge(frames, "shared");
        const half = frames.pages / 2;
        mustBe(
          "a remap over what is there",
          yield* remap(address, (frames.first + half) as Pfn, half, leaves),
          0,
        );
        yield* mustShowLeaves("the mapping", frames, stage);
      },
    ),
  ),
  onLeaves({ when: "what is missing, by large leaves" }, function* (frames, stage) {
    const { pageSize } = stage.subject;
    const address = yield* mapLarge(frames, "shared");
    const fill = () => remapMissing(address, frames);
    mustBe("a remap of what is missing where nothing is", yield* fill(), 0);
    yield* zap(address, address + pageSize);
    mustBe("the level of the entries of a leaf with a hole", yield* levelAt(address + pageSize), 0);
    mustBe("a remap of a missing page", yield* fill(), 0);
    yield* mustShowLeaves("the mapping after one page was zapped", frames, stage);
    yield* zap(address, address + frames.pages * pageSize);
    mustBe("a remap of everything", yield* fill(), 0);
    yield* mustShowLeaves("the mapping after everything was zapped", frames, stage);
  }),
];

/** RE-04: a leaf of leaves is in the way of a smaller one. */
export const remapInsideLeafCase: LawCase = {
  when: "a large leaf inside a larger one",
  schedule: "sequential",
  executor: "model",
  kinds: "one",
  provokes: "remap-over-present",
  excluded: ({ tried }) =>
    tried?.geometry.leafLevels.includes(2) === true
      ? undefined
      : "the machine has large leaves of one size at most",
  *program(stage) {
    const { pageSize } = stage.subject;
    const leaf = leafOf(stage);
    const frames = yield* bareFrames(leaf * leaf, "large");
    const address = yield* frames.map({ fixedAt: LARGEST_LEAF_ADDRESS });
    mustBe("the level of the entries that a remap makes", yield* levelAt(address), 2);
    const at = address + leaf * pageSize;
    mustBe("a remap over a part", yield* remap(at, frames.first, leaf, "large"), 0);
    mustBe("the level of the entries then", yield* levelAt(at), 2);
    for (const page of [0, leaf, 2 * leaf - 1, frames.pages - 1]) {
      mustBe(`page ${page}`, yield* user.load(address + page * pageSize), frames.markOf(page));
    }
  },
};

/** PF-10: a handler that fills in large leaves, for two threads. */
export const fillingLeavesCase: LawCase = {
  when: "a handler that fills in what is missing by large leaves",
  schedule: "racy",
  executor: "model",
  kinds: "one",
  excluded: hasNoLeaf,
  *program(stage) {
    const leaf = leafOf(stage);
    const { pageSize, markOf } = stage.subject;
    let first = 0;
    const device = yield* plantDevice("/dev/law", 3 * leaf, ({ kernel }, own) => {
      first = (leaf - (own.frame(0) % leaf)) % leaf;
      return {
        mmap(_file, area) {
          area.flags |= VM_PFNMAP;
          return setOps(area, {
            *nopagePfn({ area: touched }) {
              const run = { address: touched.start, pfn: own.frame(first), pages: touched.pages } as const;
              const result = yield* kernel.mappings.remapMissing(touched, { ...run, leaves: "large" });
              return result === 0 ? installed : sigbus;
            },
          });
        },
      };
    });
    const address = yield* succeed(
      "mmap",
      mapPlanted(device, 2 * leaf * pageSize, { fixedAt: LEAF_ADDRESS }),
    );
    yield* user.thread(function* () {
      const seen = yield* user.load(address + (2 * leaf - 1) * pageSize);
      mustBe("the last page", seen, markOf(first + 2 * leaf - 1));
    }, "second");
    mustBe("the first page", yield* user.load(address), markOf(first));
    mustBe("the level of its entry", yield* levelAt(address), 1);
  },
};

/** A remap into an area that is there, as a driver does that holds the mmap lock for writing. */
function* remap(address: number, pfn: Pfn, pages: number, leaves: "single" | "large"): Steps<number> {
  return yield* user.kernel(function* ({ kernel, thread: { mm } }) {
    yield* mm.lock.write();
    const area = mm.areas.find(address);
    if (area === undefined) throw new Error("nothing is mapped");
    const answer = yield* kernel.mappings.remapPfnRange(area, { address, pfn, pages, leaves });
    mm.lock.unlockWrite();
    return answer;
  });
}

function* remapMissing(address: number, { first: pfn, pages }: BareFrames): Steps<number> {
  return yield* user.kernel(function* ({ kernel, thread: { mm } }) {
    yield* mm.lock.read();
    const area = mm.areas.find(address);
    if (area === undefined) throw new Error("nothing is mapped");
    const answer = yield* kernel.mappings.remapMissing(area, { address, pfn, pages, leaves: "large" });
    mm.lock.unlockRead();
    return answer;
  });
}

function* zap(start: number, end: number): Steps<void> {
  yield* user.kernel(function* ({ kernel, thread: { mm } }) {
    yield* mm.lock.read();
    const area = mm.areas.find(start);
    if (area !== undefined) yield* kernel.mappings.zapVma(area, start as never, end as never);
    mm.lock.unlockRead();
  });
}
