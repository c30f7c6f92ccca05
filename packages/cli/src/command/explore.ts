import { resolve } from "node:path";
import type { GeometryName } from "@nopage/core";
import type { Problem } from "@nopage/core/wiring";
import {
  type ExploreLawOptions,
  exploreLaw,
  type LawExploration,
  type Minimised,
  minimise,
  type RacyProgram,
  racyProgramsOf,
  savedRun,
  settingOf,
} from "@nopage/testkit";
import { selectLaws } from "@nopage/testkit/conform";
import { builtInPackageOf, builtInRegistry } from "../built-in-plugins.ts";
import { checkFile, checkGeometry, checkLaw } from "../conform/check-conform.ts";
import { findConformable } from "../conform/find-conformable.ts";
import { writeCounterexample } from "../explore/counterexample-file.ts";
import { type SearchFlags, searchOf, seedOf } from "../explore/explore-flags.ts";
import { packageIdentity, pluginIdentity } from "../explore/source-hash.ts";
import { exploreReport } from "../report/explore-report.ts";
import { UsageError } from "../usage-error.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import type { Output } from "./output.ts";

/** The flags of `nopage explore`, as they were written. */
export interface ExploreFlags extends SearchFlags {
  readonly law?: readonly string[];
  readonly geometry?: string;
  readonly save?: string;
}

/** What came of one program of a law. */
export interface Explored {
  readonly program: RacyProgram;
  readonly found: LawExploration;
  /** The failure, as short as can be; undefined where the law holds. */
  readonly minimised: Minimised | undefined;
}

/** Runs that the search for a shorter failure may take. */
const MINIMISING = 5000;

/** `nopage explore`: runs the racy laws' programs in every order that makes a difference, or as many as are asked for. */
export async function explore(
  words: readonly string[],
  flags: ExploreFlags,
  format: "table" | "json",
  output: Output,
): Promise<ExitCode> {
  const registry = builtInRegistry();
  const { plugins, problems: unknown } = await findConformable(words, output.directory, registry);
  const { plan, max, problems } = searchOf(flags);
  const { geometry = "x86-64", law, save } = flags;
  const all = [
    ...checkWords(words, plugins.length),
    ...unknown.map((problem) => ({ ...problem, path: "nopage explore" })),
    ...(law ?? []).flatMap(checkLaw),
    ...checkGeometry(geometry),
    ...checkFile("--save", save, output.directory),
    ...problems,
  ];
  const [plugin] = plugins;
  if (all.length > 0 || plugin === undefined) throw new UsageError(all);
  const chosen = geometry as GeometryName;
  const options = { plan, maxExecutions: max, atFailure: "stop" } as const;
  const results = racyProgramsOf(selectLaws(law), plugin, chosen).map((program) =>
    exploreOne(program, chosen, options, output),
  );
  output.progress(undefined);
  const first = results.find(({ minimised }) => minimised !== undefined);
  if (save !== undefined && first?.minimised !== undefined) {
    writeCounterexample(resolve(output.directory, save), {
      plugin: pluginIdentity(words[0] ?? plugin.name, builtInPackageOf(plugin), output.directory),
      core: packageIdentity("@nopage/core"),
      laws: packageIdentity("@nopage/testkit"),
      seed: seedOf(plan),
      search: typeof plan === "string" ? plan : JSON.stringify(plan),
      run: savedRun(first.program, chosen, first.minimised),
    });
  }
  output.print(exploreReport(results, plugin.name, format, output.columns));
  return first === undefined ? exitCodes.holds : exitCodes.broken;
}

function exploreOne(
  program: RacyProgram,
  geometry: GeometryName,
  options: ExploreLawOptions,
  output: Output,
): Explored {
  const { lawCase, contender, law } = program;
  const started = performance.now();
  const found = exploreLaw(lawCase, contender, geometry, {
    ...options,
    announce(executions) {
      if (executions % 50 !== 0) return;
      const speed = Math.round((1000 * executions) / (performance.now() - started));
      output.progress(`${law}, ${contender.name}: ${executions} executions, ${speed} a second`);
    },
  });
  const [failure] = found.counterexamples;
  const setting = settingOf(lawCase, contender, geometry);
  const minimised = failure === undefined ? undefined : minimise(setting, failure.schedule, MINIMISING);
  return { program, found, minimised };
}

function checkWords(words: readonly string[], plugins: number): readonly Problem[] {
  if (words.length === 1 && plugins <= 1) return [];
  const value = words.length === 1 ? words[0] : words.join(" ");
  const expected = "one plugin: its name, or the package or path of a module that exports it alone";
  return [{ path: "nopage explore", value, expected, nearest: undefined }];
}
