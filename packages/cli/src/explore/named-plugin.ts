import { basename, dirname, join, relative, resolve, sep } from "node:path";
import type { Problem } from "@nopage/core/wiring";
import { createModuleLoader } from "../config/load-module.ts";
import { isPath, moduleId, nearestModule } from "../config/module-path.ts";

/** A plugin as it is named: by its name, a package or a path, and the folder from which that counts. */
export interface NamedPlugin {
  readonly word: string;
  readonly directory: string;
}

/** The word by which a file in this folder names the plugin: a path is as seen from there, with slashes, and goes where the file goes. */
export function wordFrom(folder: string, { word, directory }: NamedPlugin): string {
  const id = moduleId(word, placeIn(directory));
  if (!isPath(id)) return word;
  const path = relative(folder, resolve(directory, id)).replaceAll(sep, "/");
  return isPath(path) ? path : `./${path}`;
}

/**
 * The plugin that a file names, or why there is none. A path counts from the folder of the file, and where it leads to nothing there,
 * from the working directory: so it was written before files could be moved.
 */
export function pluginNamedIn(file: string, word: string, directory: string): NamedPlugin | Problem {
  const folders = [dirname(file), directory];
  if (!folders.some((folder) => isPath(moduleId(word, placeIn(folder))))) return { word, directory };
  const folder = folders.find((one) => leadsToModule(word, placeIn(one)));
  if (folder !== undefined) return { word, directory: folder };
  const expected = "the path of a module, from the folder of this file or from the working directory";
  const nearest = nearestModule(word, placeIn(dirname(file))) ?? nearestModule(word, placeIn(directory));
  return { path: `plugin.name in ${basename(file)}`, value: word, expected, nearest };
}

function leadsToModule(word: string, from: string): boolean {
  const id = moduleId(word, from);
  return isPath(id) && createModuleLoader(from).canResolve(id);
}

/** What looks modules up in a folder does so as a file there. */
function placeIn(folder: string): string {
  return join(folder, "nopage.config.js");
}
