import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Problem } from "@nopage/core/wiring";
import { type LawReplay, replaySaved, ScheduleMisfit } from "@nopage/testkit";
import type { Plugin } from "@nopage/testkit/conform";
import pc from "picocolors";
import { builtInPackageOf, builtInRegistry } from "../built-in-plugins.ts";
import { checkFile } from "../conform/check-conform.ts";
import { findConformable } from "../conform/find-conformable.ts";
import { type CounterexampleFile, readCounterexample } from "../explore/counterexample-file.ts";
import { type NamedPlugin, pluginNamedIn } from "../explore/named-plugin.ts";
import { packageIdentity, pluginIdentity, type SourceIdentity } from "../explore/source-hash.ts";
import { laneDiagram } from "../report/lane-diagram.ts";
import { leftOutInWords } from "../report/left-out-words.ts";
import { perfettoTrace } from "../report/perfetto-trace.ts";
import { stepThrough } from "../step/step-through.ts";
import { UsageError } from "../usage-error.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import type { Output } from "./output.ts";

/** The flags of `nopage replay`, as they were written. */
export interface ReplayFlags {
  /** The plugin, where it is no more where the file says. */
  readonly plugin?: string;
  /** A file to write a trace to. */
  readonly perfetto?: string;
  /** Whether it is gone through step by step at the terminal. */
  readonly step?: true;
}

/** `nopage replay`: runs a failure again that was saved, and shows it as lanes. */
export async function replay(
  file: string | undefined,
  { plugin: word, perfetto, step }: ReplayFlags,
  format: "table" | "json",
  output: Output,
): Promise<ExitCode> {
  const { directory } = output;
  if (file === undefined) {
    const expected = "a file, made by nopage explore PLUGIN --save FILE";
    throw new UsageError([{ path: "nopage replay", value: undefined, expected, nearest: undefined }]);
  }
  const saved = readCounterexample(resolve(directory, file));
  const wrong = [
    ...("expected" in saved ? [saved] : []),
    ...checkFile("--perfetto", perfetto, directory),
    ...(step === true ? checkStep(format, output) : []),
  ];
  if ("expected" in saved || wrong.length > 0) throw new UsageError(wrong);
  const { plugin, named } = await findPlugin(saved, file, word, directory);
  const now = [
    pluginIdentity(named.word, builtInPackageOf(plugin), named.directory),
    packageIdentity("@nopage/core"),
    packageIdentity("@nopage/testkit"),
  ];
  const changed = [saved.plugin, saved.core, saved.laws].flatMap((then, index) => changeOf(then, now[index]));
  for (const change of changed) output.complain(`${pc.yellow("nopage")}: ${change}\n`);
  const again = runAgain(saved, () => replaySaved(saved.run, plugin), changed.length > 0, output);
  if (again === undefined) return exitCodes.broken;
  if (perfetto !== undefined) writeFileSync(resolve(directory, perfetto), perfettoTrace(again));
  if (step === true && output.terminal !== undefined) {
    const { law, contender, met } = saved.run;
    await stepThrough({ title: `${law}, on ${contender}`, replay: again, met }, output.terminal);
    return again.problems.length === 0 ? exitCodes.holds : exitCodes.broken;
  }
  output.print(format === "json" ? asJson(saved, again) : inWords(saved, again, output.columns));
  return again.problems.length === 0 ? exitCodes.holds : exitCodes.broken;
}

/** @throws UsageError where there is no such plugin in what the flag names, or where it is left out, in what the file names */
async function findPlugin(
  { plugin: { name }, run }: CounterexampleFile,
  file: string,
  word: string | undefined,
  directory: string,
): Promise<{ readonly plugin: Plugin; readonly named: NamedPlugin }> {
  const named =
    word === undefined ? pluginNamedIn(resolve(directory, file), name, directory) : { word, directory };
  const path = word === undefined ? `plugin.name in ${file}` : "--plugin";
  const elsewhere = word === undefined ? `; --plugin PLUGIN names it where it lies elsewhere` : "";
  const placed = (problem: Problem): Problem => ({
    ...problem,
    path,
    expected: `${problem.expected}${elsewhere}`,
  });
  if ("expected" in named) throw new UsageError([placed(named)]);
  const { plugins, problems } = await findConformable([named.word], named.directory, builtInRegistry());
  if (problems.length > 0) throw new UsageError(problems.map(placed));
  const plugin = plugins.find(
    (one) => run.contender === one.name || run.contender.startsWith(`${one.name} on `),
  );
  if (plugin !== undefined) return { plugin, named };
  const expected = `a module that exports the plugin of ${run.contender}`;
  throw new UsageError([placed({ path, value: named.word, expected, nearest: undefined })]);
}

/** Stepping takes somebody who presses keys. */
function checkStep(format: "table" | "json", { terminal }: Output): readonly Problem[] {
  if (format === "json") {
    const expected = "no --step beside it: stepping is for people";
    return [{ path: "--json", value: true, expected, nearest: undefined }];
  }
  if (terminal !== undefined) return [];
  const expected = "a terminal for keys and screen, but input or output is a file or a pipe";
  return [{ path: "--step", value: true, expected, nearest: undefined }];
}

/** Says that code is no more what it was, which need not matter. */
function changeOf(then: SourceIdentity, now: SourceIdentity | undefined): readonly string[] {
  if (now === undefined || then.hash === now.hash) return [];
  const versions = then.version === now.version ? "" : `, from version ${then.version} to ${now.version}`;
  return [`${then.name} has changed since this was saved${versions}`];
}

function runAgain(
  { run }: CounterexampleFile,
  start: () => LawReplay,
  hasChanged: boolean,
  output: Output,
): LawReplay | undefined {
  try {
    return start();
  } catch (thrown) {
    if (!(thrown instanceof ScheduleMisfit)) throw thrown;
    output.complain(`${pc.red("nopage")}: the saved order of ${run.law} no longer fits: ${thrown.message}\n`);
    if (!hasChanged) output.complain(unchanged);
    return undefined;
  }
}

const unchanged =
  "Plugin, core and laws are what they were: the plugin does not do the same each time, or the file was changed.\n";

function inWords({ run }: CounterexampleFile, again: LawReplay, width: number | undefined): string {
  const [expected = ""] = run.problems;
  const [found] = again.problems;
  const verdict =
    found === undefined
      ? `${pc.green("It holds now:")} ${run.law}, on ${run.contender}, no longer fails in the saved order.`
      : `${pc.red("Broken again:")} ${run.law}, on ${run.contender}: ${found}`;
  const other = found === undefined || found === expected ? "" : `Saved was: ${expected}\n`;
  const shorter = leftOutInWords(run.leftOut ?? []).map((line) => `${line}\n`);
  return `${verdict}\n${other}${shorter.join("")}\n${laneDiagram(again, run.met, width)}`;
}

function asJson({ run }: CounterexampleFile, { problems, start, steps, failedAt }: LawReplay): string {
  const isSame = JSON.stringify(problems) === JSON.stringify(run.problems);
  return `${JSON.stringify({ law: run.law, contender: run.contender, problems, isSame, met: run.met, failedAt, start, steps }, null, 2)}\n`;
}
