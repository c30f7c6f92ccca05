import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, extname, isAbsolute, join, resolve } from "node:path";
import { nearestName } from "@nopage/core/wiring";
import { moduleExtensions } from "./load-module.ts";

/** Whether what names a module is a path and no package. */
export function looksLikePath(name: string): boolean {
  return isPath(name) || moduleExtensions.includes(extname(name));
}

/** How a module is asked for: a path that is written without `./` counts as one when there is such a file. */
export function moduleId(written: string, from: string): string {
  if (isPath(written) || !looksLikePath(written)) return written;
  return existsSync(resolve(dirname(from), written)) ? `./${written}` : written;
}

/** The module that a path may have meant, in the folder where it leads; undefined when that path is right. */
export function nearestModule(written: string, from: string): string | undefined {
  const path = resolve(dirname(from), written);
  if (existsSync(path)) return undefined;
  const beside = modulesIn(dirname(path)).filter((file) => file !== basename(from));
  const nearest = nearestName(basename(path), beside);
  if (nearest === undefined) return undefined;
  const found = join(dirname(written), nearest);
  return isAbsolute(found) || found.startsWith("..") ? found : `./${found}`;
}

/** Whether a name says by its beginning that it is a path. */
export function isPath(name: string): boolean {
  return name.startsWith("./") || name.startsWith("../") || isAbsolute(name);
}

function modulesIn(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => moduleExtensions.includes(extname(file)))
    .sort();
}
