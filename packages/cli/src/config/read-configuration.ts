import { basename, dirname, join, resolve } from "node:path";
import type { PluginRegistry, Problem, WorldSettings } from "@nopage/core/wiring";
import { builtInSignals, defaultSignalName } from "@nopage/device-highway";
import { UsageError } from "../usage-error.ts";
import { checkForm } from "./check-form.ts";
import type { ChooserConfig, NopageConfig } from "./config.ts";
import { findConfigFile } from "./find-config-file.ts";
import { applyFlags, checkFlags, type Flags, placeProblem } from "./flags.ts";
import { loadConfigFile } from "./load-config-file.ts";
import { loadNamedModules } from "./load-named-modules.ts";
import { loadPlugins } from "./load-plugins.ts";

/** Which signal is acquired. */
export interface SignalSetting {
  /** As the user wrote it: a built-in name, or a path. */
  readonly written: string;
  /** The same, with a path that a file names looked up beside that file. */
  readonly location: string;
}

/** Everything that a command goes by: defaults, overlaid by the file, overlaid by the flags. */
export interface Configuration {
  readonly settings: WorldSettings;
  readonly chooser: ChooserConfig;
  readonly signal: SignalSetting;
  /** The file's absolute path, where there is one. */
  readonly file: string | undefined;
  /** What is wrong so far; to be told together with what the command itself finds. */
  readonly problems: readonly Problem[];
  /** Places a problem of the settings where the user wrote them. */
  place(problem: Problem): Problem;
}

const defaults = {
  strategy: "lazy-nopage",
  pinning: "refcount",
  device: { name: "highway" },
  chooser: "run-to-block",
  signal: defaultSignalName,
} as const satisfies NopageConfig;

type Defaults = Required<Omit<NopageConfig, "machine" | "plugins">>;

/**
 * Reads the configuration that counts and loads its plugins into the registry.
 *
 * @throws UsageError when there is a file and it cannot be read at all; all other problems are in the answer
 */
export async function readConfiguration(
  directory: string,
  flags: Flags,
  registry: PluginRegistry,
): Promise<Configuration> {
  const file = findConfigFile(directory, flags.config);
  const place = (problem: Problem) => placeProblem(problem, flags, file && basename(file));
  const written = file === undefined ? {} : await loadConfigFile(file);
  if (!isObject(written)) throw new UsageError(checkForm(written).map(place));

  const merged = applyFlags(written, flags);
  const formProblems = checkForm(merged);
  const config: NopageConfig & Defaults = { ...defaults, ...withoutMistakes(merged, formProblems) };
  const base = file ?? join(directory, "nopage.config.js");
  const pluginProblems = await loadPlugins(merged["plugins"], base, registry);
  const own = join(directory, "nopage.config.js");
  const { names, problems: namingProblems } = await loadNamedModules(
    [
      { path: "strategy", name: config.strategy, from: flags.strategy === undefined ? base : own },
      { path: "pinning", name: config.pinning, from: flags.pinning === undefined ? base : own },
      { path: "device.name", name: config.device.name, from: flags.device === undefined ? base : own },
    ],
    registry,
  );
  const { machine } = config;
  const chooser = locateRecording(config.chooser, dirname(flags.replay === undefined ? base : own));
  const strategy = names.get("strategy") ?? config.strategy;
  const pinning = names.get("pinning") ?? config.pinning;
  const device = { ...config.device, name: names.get("device.name") ?? config.device.name };
  return {
    settings: { strategy, pinning, device, ...(machine === undefined ? {} : { machine }) },
    chooser,
    signal: { written: config.signal, location: flags.signal ?? locateSignal(config.signal, dirname(base)) },
    file,
    problems: [...checkFlags(flags), ...formProblems, ...pluginProblems, ...namingProblems].map(place),
    place,
  };
}

/** What is left of a configuration without the top-level settings that have the wrong form. */
function withoutMistakes(
  config: Readonly<Record<string, unknown>>,
  problems: readonly Problem[],
): Partial<Defaults> {
  const mistaken = new Set(problems.map(({ path }) => path.split(/[.[]/)[0]));
  const sound = Object.entries(config).filter(([key, value]) => !mistaken.has(key) && value !== undefined);
  return Object.fromEntries(sound) as Partial<Defaults>;
}

/** A signal that a file names lies beside that file, or where an absolute path says. */
function locateSignal(signal: string, directory: string): string {
  return builtInSignals.some(({ name }) => name === signal) ? signal : resolve(directory, signal);
}

/** A recording that a file names lies beside that file; one of a flag is looked for from the working directory. */
function locateRecording(chooser: ChooserConfig, directory: string): ChooserConfig {
  if (typeof chooser === "string" || !("replay" in chooser)) return chooser;
  return { replay: resolve(directory, chooser.replay) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
