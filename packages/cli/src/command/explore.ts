import { dirname, resolve } from "node:path";
import type { GeometryName } from "@nopage/core";
import type { Problem } from "@nopage/core/wiring";
import {
  type DividedPlan,
  type LawExploration,
  type Minimised,
  minimise,
  NotTheSameProgram,
  type RacyProgram,
  racyProgramsOf,
  ScheduleMisfit,
  savedRun,
  settingOf,
} from "@nopage/testkit";
import { type Plugin, selectLaws } from "@nopage/testkit/conform";
import pc from "picocolors";
import { builtInPackageOf, builtInRegistry } from "../built-in-plugins.ts";
import { checkFile, checkGeometry, checkLaw } from "../conform/check-conform.ts";
import { findConformable } from "../conform/find-conformable.ts";
import { writeCounterexample } from "../explore/counterexample-file.ts";
import { flagOf, type SearchFlags, type SearchLimits, searchOf, seedOf } from "../explore/explore-flags.ts";
import { type ExploredProgram, explorePrograms } from "../explore/explore-programs.ts";
import { Interruption } from "../explore/interruption.ts";
import { type NamedPlugin, pluginNamedIn, wordFrom } from "../explore/named-plugin.ts";
import {
  changesSince,
  readSearch,
  type SavedProgram,
  type SearchFile,
  writeSearch,
} from "../explore/search-file.ts";
import { packageIdentity, pluginIdentity } from "../explore/source-hash.ts";
import { exploreReport } from "../report/explore-report.ts";
import { progressInWords } from "../report/progress-words.ts";
import { UsageError } from "../usage-error.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import type { Output } from "./output.ts";

/** The flags of `nopage explore`, as they were written. */
export interface ExploreFlags extends SearchFlags {
  readonly law?: readonly string[];
  readonly geometry?: string;
  readonly save?: string;
  readonly resume?: string;
}

/** What came of one program of a law. */
export interface Explored extends ExploredProgram {
  /** The failure, as short as can be; undefined where the law holds. */
  readonly minimised: Minimised | undefined;
}

/** Runs that the search for a shorter failure may take. */
const MINIMISING = 5000;

/**
 * `nopage explore`: runs the racy laws' programs in every order that makes a difference, or as many as are asked for. What
 * `--save` has written last is the first failure, or while there is none, the search as far as it has come.
 */
export async function explore(
  words: readonly string[],
  flags: ExploreFlags,
  format: "table" | "json",
  output: Output,
): Promise<ExitCode> {
  const what = await whatToExplore(words, flags, output);
  try {
    return await searched(what, flags.save, format, output);
  } catch (failure) {
    if (!(failure instanceof NotTheSameProgram || failure instanceof ScheduleMisfit)) throw failure;
    output.progress(undefined);
    output.complain(
      `${pc.red("nopage")}: the orders of ${what.plugin.name} cannot be searched, as it does not do the same again under the same order: ${failure.message}\n${NOT_THE_SAME}`,
    );
    return exitCodes.broken;
  }
}

const NOT_THE_SAME =
  "Chance, the time of day, or what is kept from one run to the next has no place in a plugin. nopage conform tries orders by chance then.\n";

async function searched(
  { plugin, named, law, geometry, plan, limits, saved }: WhatToExplore,
  save: string | undefined,
  format: "table" | "json",
  output: Output,
): Promise<ExitCode> {
  const file = save === undefined ? undefined : resolve(output.directory, save);
  const code = codeOf(named, plugin, file === undefined ? output.directory : dirname(file));
  const interruption = new Interruption();
  const explored = await explorePrograms({
    programs: racyProgramsOf(selectLaws(law), plugin, geometry),
    ...{ geometry, plan, limits, saved, plugin: named.word, directory: named.directory },
    isInterrupted: () => interruption.hasCome,
    announce: (program, progress) => output.progress(progressInWords(program, progress)),
    warn: (text) => output.complain(`nopage: ${text}\n`),
    checkpoint(programs) {
      if (file !== undefined) writeSearch(file, { ...code, law, geometry, plan, programs });
    },
  }).finally(() => interruption.end());
  output.progress(undefined);
  const results = explored.map(({ program, found }) => ({
    program,
    found,
    minimised: minimisedOf(program, found, geometry),
  }));
  const first = results.find(({ minimised }) => minimised !== undefined);
  if (file !== undefined && first?.minimised !== undefined) {
    writeCounterexample(file, {
      ...code,
      seed: seedOf(plan),
      search: typeof plan === "string" ? plan : JSON.stringify(plan),
      run: savedRun(first.program, geometry, first.minimised),
    });
  }
  output.print(exploreReport(results, plugin.name, format, output.columns));
  return first === undefined ? exitCodes.holds : exitCodes.broken;
}

interface WhatToExplore {
  readonly plugin: Plugin;
  readonly named: NamedPlugin;
  readonly law: readonly string[] | undefined;
  readonly geometry: GeometryName;
  readonly plan: DividedPlan;
  readonly limits: SearchLimits;
  /** How far an earlier search has come. */
  readonly saved: readonly SavedProgram[];
}

/** @throws UsageError with all that is wrong with the words, the flags, and the file to go on from */
async function whatToExplore(
  words: readonly string[],
  flags: ExploreFlags,
  { directory }: Output,
): Promise<WhatToExplore> {
  const resumed = flags.resume === undefined ? undefined : readSearch(resolve(directory, flags.resume));
  if (resumed !== undefined && "expected" in resumed) throw new UsageError([resumed]);
  const named =
    resumed === undefined || words.length > 0
      ? { word: words[0] ?? "", directory }
      : pluginNamedIn(resolve(directory, flags.resume ?? ""), resumed.plugin.name, directory);
  if ("expected" in named) throw new UsageError([named]);
  const asWords = named.word === "" ? [] : [named.word];
  const { plugins, problems: unknown } = await findConformable(asWords, named.directory, builtInRegistry());
  const { problems, ...asked } = searchOf(flags, resumed === undefined ? "new" : "resumed");
  const { plan = asked.plan, programs: saved = [] } = resumed ?? {};
  const { geometry = resumed?.geometry ?? "x86-64", law = resumed?.law } = flags;
  const all = [
    ...checkWords(asWords, plugins.length),
    ...unknown.map((problem) => ({ ...problem, path: "nopage explore" })),
    ...(law ?? []).flatMap(checkLaw),
    ...checkGeometry(geometry),
    ...checkFile("--save", flags.save, directory),
    ...problems,
    ...(resumed === undefined ? [] : checkResumed(words, flags)),
  ];
  const [plugin] = plugins;
  if (all.length > 0 || plugin === undefined) throw new UsageError(all);
  if (resumed !== undefined) {
    const changes = changesSince(flags.resume ?? "", resumed, codeOf(named, plugin, directory));
    if (changes.length > 0) throw new UsageError(changes);
  }
  const { limits } = asked;
  return { plugin, named, law, geometry: geometry as GeometryName, plan, limits, saved };
}

/** The code that a search depends on, as a file in this folder names it. */
function codeOf(
  named: NamedPlugin,
  plugin: Plugin,
  folder: string,
): Pick<SearchFile, "plugin" | "core" | "laws"> {
  const identity = pluginIdentity(named.word, builtInPackageOf(plugin), named.directory);
  return {
    plugin: { ...identity, name: wordFrom(folder, named) },
    core: packageIdentity("@nopage/core"),
    laws: packageIdentity("@nopage/testkit"),
  };
}

function minimisedOf(
  { lawCase, contender }: RacyProgram,
  { counterexamples: [failure] }: LawExploration,
  geometry: GeometryName,
): Minimised | undefined {
  if (failure === undefined) return undefined;
  return minimise(settingOf(lawCase, contender, geometry), failure.schedule, MINIMISING);
}

/** What the file says, which cannot be said anew. */
function checkResumed(words: readonly string[], flags: ExploreFlags): readonly Problem[] {
  const expected = "no --resume beside it: the file says which search it is";
  const names = ["law", "geometry", "complete", "preemptions", "random", "pct", "depth", "seed"] as const;
  return [
    ...words.map((value) => ({ path: "nopage explore", value, expected, nearest: undefined })),
    ...names
      .filter((name) => flags[name] !== undefined)
      .map((name) => ({ path: flagOf(name), value: asTyped(flags[name]), expected, nearest: undefined })),
  ];
}

/** The value of a flag as it was typed. */
function asTyped(value: ExploreFlags[keyof ExploreFlags]): string | true | undefined {
  return typeof value === "object" ? value.join(" ") : value;
}

function checkWords(words: readonly string[], plugins: number): readonly Problem[] {
  if (words.length === 1 && plugins <= 1) return [];
  const value = words.length === 1 ? words[0] : words.join(" ");
  const expected = "one plugin: its name, or the package or path of a module that exports it alone";
  return [{ path: "nopage explore", value, expected, nearest: undefined }];
}
