import { readFileSync } from "node:fs";
import { whereItIsWrong } from "./where-it-is-wrong.ts";

/** What a file holds, or why that cannot be told: words to go on from `but`. */
export type ReadJson = { readonly data: unknown } | { readonly why: string };

/** Reads a file of JSON that this command has written, or was said to have. */
export function readJson(path: string): ReadJson {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (failure) {
    const { code } = failure as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? `there is no file ${path}` : `the file ${path} cannot be read (${code})`;
    return { why };
  }
  try {
    return { data: JSON.parse(text) as unknown };
  } catch (failure) {
    return { why: `it is no JSON: ${whereItIsWrong(failure, path, text)}` };
  }
}
