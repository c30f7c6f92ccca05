import {
  LawParts,
  type LawProgramName,
  type PartAnswer,
  type PartKind,
  type PartTask,
  programNamed,
} from "@nopage/testkit";
import type { Plugin } from "@nopage/testkit/conform";
import { builtInRegistry } from "../built-in-plugins.ts";
import { findConformable } from "../conform/find-conformable.ts";

/** A part of a search with all that it takes to explore it elsewhere, as plain data. */
export interface SentPart<K extends PartKind = PartKind> {
  /** The plugin as it was named on the command line, and the folder from which that counts. */
  readonly plugin: string;
  readonly directory: string;
  readonly program: LawProgramName;
  readonly part: PartTask<K>;
}

/** By folder and word. */
const plugins = new Map<string, Promise<Plugin>>();
/** By plugin and program; worlds of the same program are built from what the last one has left. */
const programs = new Map<string, LawParts>();

/**
 * Explores a part of a search: what a worker does.
 *
 * @throws Error when the plugin or the program is not to be found here
 */
export async function explorePart<K extends PartKind>({
  plugin,
  directory,
  program,
  part,
}: SentPart<K>): Promise<PartAnswer<K>> {
  const where = JSON.stringify([directory, plugin]);
  const loading = plugins.get(where) ?? loadPlugin(plugin, directory);
  plugins.set(where, loading);
  const loaded = await loading;
  const which = JSON.stringify([where, program]);
  let parts = programs.get(which);
  if (parts === undefined) {
    const found = programNamed(program, loaded);
    if (found === undefined) throw new Error(`${plugin} has no program ${JSON.stringify(program)} here`);
    parts = new LawParts(found, program.geometry);
    programs.set(which, parts);
  }
  return parts.explore<K>(part);
}

/** Answers as soon as a worker has the plugin. */
export async function prepare({ plugin, directory }: Pick<SentPart, "plugin" | "directory">): Promise<void> {
  const where = JSON.stringify([directory, plugin]);
  const loading = plugins.get(where) ?? loadPlugin(plugin, directory);
  plugins.set(where, loading);
  await loading;
}

async function loadPlugin(word: string, directory: string): Promise<Plugin> {
  const { plugins: found } = await findConformable([word], directory, builtInRegistry());
  const [plugin] = found;
  if (plugin === undefined || found.length > 1) throw new Error(`${word} is no plugin here`);
  return plugin;
}
