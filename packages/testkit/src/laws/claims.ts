import {
  type BackingKind,
  backingKinds,
  isError,
  type Machine,
  type MappingStrategy,
  type Pfn,
} from "@nopage/core";
import { claimMarkedWindow } from "../marked-window.ts";
import { inWords, must, mustBe, mustReach, succeed } from "../program/expect.ts";
import { user } from "../program/user.ts";
import { showMemory } from "../shown-memory.ts";
import type { LawCase, Stage, Tried } from "./law.ts";
import { type HandedMemory, mapHanded } from "./support/handed-memory.ts";
import { LEAF_ADDRESS, leafPages, levelAt, MOST_PAGES } from "./support/large-leaves.ts";

/** Kinds whose frames are neighbours. */
const runKinds: readonly BackingKind[] = ["pfn-run", "linear", "coherent"];

/**
 * What a strategy says of the memory that it shows, in both directions: what it does not claim its own mmap hook has to
 * refuse. The core, which looks at `backing` before it asks, is got round by a copy of the strategy that claims every kind.
 */
export const memoryClaims: readonly LawCase[] = [
  ...backingKinds.map(
    (kind): LawCase => ({
      when: `${kind} memory, which it does not claim to show`,
      schedule: "sequential",
      executor: "model",
      provokes: [],
      excluded: ({ tried }) =>
        tried?.strategy.supports.backing.includes(kind) === false ? undefined : "it claims to show it",
      *program(stage) {
        const strategy = withAnyBacking(triedOn(stage).strategy);
        const answer = yield* mapHanded(strategy, (machine) => showMemory(machine, kind, 2));
        must(
          isError(answer),
          `mmap of ${kind} memory answers ${inWords(answer)}, and must fail: supports.backing does not name it`,
        );
      },
    }),
  ),
  {
    when: "memory with a hole, of who claims to show none",
    schedule: "sequential",
    executor: "model",
    provokes: [],
    excluded: ({ tried }) => {
      if (tried?.backing !== "page-array") return "its memory can have no holes";
      return tried.strategy.supports.holes ? "it shows holes" : undefined;
    },
    *program(stage) {
      const answer = yield* mapHanded(triedOn(stage).strategy, (machine) =>
        showMemory(machine, "page-array", 4, [1]),
      );
      must(
        isError(answer),
        `mmap of memory with a hole answers ${inWords(answer)}, and must fail: supports.holes is false`,
      );
    },
  },
  {
    when: "what is claimed of kinds of memory",
    schedule: "sequential",
    executor: "model",
    *program(stage) {
      const { backing, holes, countsPages, privateWritable } = triedOn(stage).strategy.supports;
      const isInVain = (kind: BackingKind) => !backing.includes(kind);
      must(
        !holes || backing.includes("page-array"),
        "supports.holes is true, and must be false: only a page-array has holes, which supports.backing does not name",
      );
      mustBe("what supports.countsPages names beyond supports.backing", countsPages.filter(isInVain), []);
      mustBe(
        "what supports.privateWritable names beyond supports.backing",
        privateWritable.filter(isInVain),
        [],
      );
    },
  },
];

/** Whether an object that fills a large leaf is mapped by one, as is claimed, or by single pages; once it is cut it is mapped by single pages. */
export const leafClaims: readonly LawCase[] = [
  {
    when: "an object that fills a large leaf, whole and cut",
    schedule: "sequential",
    executor: "model",
    provokes: [],
    // Twice the largest leaf that is tried, for the object and for whatever breaks its alignment.
    machine: { ramPages: 4 * MOST_PAGES },
    excluded: ({ tried }) => {
      if (tried === undefined) return "no strategy is tried";
      if (leafPages(tried.geometry) === undefined)
        return "the machine has no large leaf of a size that can be tried";
      const { backing, holes, strategy } = tried;
      if (holes === "some") return "an object with holes fills no leaf";
      const isRun = runKinds.includes(backing);
      return isRun || !strategy.supports.largeLeaves ? undefined : "its frames need not be neighbours";
    },
    *program(stage) {
      const tried = triedOn(stage);
      const { strategy, backing } = tried;
      const pages = leafPages(tried.geometry) ?? 0;
      const { pageSize } = stage.subject;
      const map = mapHanded(strategy, (machine) => alignedMemory(machine, backing, pages), LEAF_ADDRESS);
      const address = yield* succeed("mmap", map);
      for (let page = 0; page < pages; page++) {
        mustReach(`page ${page}`, yield* user.load(address + page * pageSize));
      }
      const level = yield* levelAt(address);
      const { largeLeaves } = strategy.supports;
      must(
        level > 0 === largeLeaves,
        `${pages} aligned pages are mapped ${level > 0 ? "by a large leaf" : "one by one"}, but supports.largeLeaves is ${largeLeaves}`,
      );
      const last = address + (pages - 1) * pageSize;
      const seen = mustReach("the last page", yield* user.load(last));
      yield* succeed("munmap of the second page", user.munmap(address + pageSize, pageSize));
      mustBe("the level of the entries that are left", yield* levelAt(address), 0);
      mustBe("the last page, after munmap of the second", yield* user.load(last), seen);
    },
  },
  {
    when: "large leaves of who shows no run of frames",
    schedule: "sequential",
    executor: "model",
    *program(stage) {
      const { backing, largeLeaves } = triedOn(stage).strategy.supports;
      must(
        !largeLeaves || backing.some((kind) => runKinds.includes(kind)),
        `supports.largeLeaves is true, and must be false: no kind in supports.backing is one run of frames (${runKinds.join(", ")})`,
      );
    },
  },
];

/** Memory whose first frame is a multiple of its length, where it is one run. */
function alignedMemory(machine: Machine, kind: BackingKind, pages: number): HandedMemory {
  if (kind !== "pfn-run") return showMemory(machine, kind, pages);
  const { startPfn } = claimMarkedWindow(machine, 2 * pages).range;
  return { memory: { kind, pfn: (Math.ceil(startPfn / pages) * pages) as Pfn }, pages };
}

function withAnyBacking(strategy: MappingStrategy): MappingStrategy {
  return { ...strategy, supports: { ...strategy.supports, backing: backingKinds } };
}

function triedOn({ tried, subject }: Stage): Tried {
  if (tried === undefined) throw new Error(`no strategy is known behind ${subject.name}`);
  return tried;
}
