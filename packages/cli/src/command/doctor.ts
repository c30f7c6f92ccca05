import { basename } from "node:path";
import { describeProblem } from "@nopage/core/wiring";
import { labRequirements } from "@nopage/linux-lab";
import pc from "picocolors";
import { builtInRegistry } from "../built-in-plugins.ts";
import { configFileAbove } from "../config/find-config-file.ts";
import type { Flags } from "../config/flags.ts";
import { readConfiguration } from "../config/read-configuration.ts";
import { findSignal, isSignal } from "../run/find-signal.ts";
import { planRuns } from "../run/plan-runs.ts";
import { UsageError } from "../usage-error.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import type { Output } from "./output.ts";
import { withoutEchoes } from "./run.ts";

/** One thing that was looked at. */
interface Finding {
  readonly name: string;
  readonly ok: boolean;
  /** Whether only `nopage lab` needs it. */
  readonly isOptional?: boolean;
  /** What was found, and what would be right where it is not. */
  readonly detail: string;
}

/** `nopage doctor`: whether this machine and this folder have what the command needs. */
export async function doctor(flags: Flags, format: "table" | "json", output: Output): Promise<ExitCode> {
  const findings = [
    examineNode(),
    ...(await examineConfiguration(flags, output.directory)),
    ...labRequirements("cloud", "drivers").map((found): Finding => ({ ...found, isOptional: true })),
  ];
  const ok = findings.every((finding) => finding.ok || finding.isOptional === true);
  if (format === "json") output.print(`${JSON.stringify({ ok, findings }, null, 2)}\n`);
  else for (const finding of findings) output.print(line(finding));
  return ok ? exitCodes.holds : exitCodes.broken;
}

function line({ name, ok, detail, isOptional }: Finding): string {
  const mark = ok ? pc.green("ok") : isOptional === true ? pc.yellow("--") : pc.red("no");
  return `${mark}  ${name}: ${detail}${isOptional === true && !ok ? " (for nopage lab only)" : ""}\n`;
}

function examineNode(): Finding {
  const { node } = process.versions;
  const [major = 0, minor = 0] = node.split(".").map(Number);
  const ok = major > 20 || (major === 20 && minor >= 19);
  return { name: "Node", ok, detail: ok ? node : `${node}; expected 20.19 or newer` };
}

function defaultsCount(directory: string): string {
  const above = configFileAbove(directory);
  const other = above === undefined ? "" : `; ${above} is not of this folder and counts only with --config`;
  return `no file, the defaults count${other}`;
}

async function examineConfiguration(flags: Flags, directory: string): Promise<readonly Finding[]> {
  const registry = builtInRegistry();
  const name = "configuration";
  try {
    const configuration = await readConfiguration(directory, flags, registry);
    const { file, place, settings } = configuration;
    const signal = await findSignal(configuration.signal);
    const choice = { extent: "configured", strategy: undefined, pinning: undefined } as const;
    const found = [...planRuns(settings, registry, choice).problems, ...(isSignal(signal) ? [] : [signal])];
    const problems = withoutEchoes(configuration.problems, found.map(place));
    const { strategies, pinning, devices } = registry;
    const plugins = [...strategies.names(), ...pinning.names(), ...devices.names()].join(", ");
    return [
      ...(problems.length === 0
        ? [{ name, ok: true, detail: file === undefined ? defaultsCount(directory) : basename(file) }]
        : problems.map((problem) => ({ name, ok: false, detail: describeProblem(problem) }))),
      { name: "plugins", ok: true, detail: plugins },
    ];
  } catch (failure) {
    if (!(failure instanceof UsageError)) throw failure;
    return failure.problems.map((problem) => ({ name, ok: false, detail: describeProblem(problem) }));
  }
}
