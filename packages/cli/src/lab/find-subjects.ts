import { join } from "node:path";
import { anyOf, nearestName, type Problem } from "@nopage/core/wiring";
import { builtInSubjects, type SubjectDefinition } from "@nopage/linux-lab";
import { createModuleLoader } from "../config/load-module.ts";
import { looksLikePath, moduleId, nearestModule } from "../config/module-path.ts";
import { firstLine } from "../report/first-line.ts";

/** The subjects that words name, each by its name or by the path of a module that exports it; all built in ones for `all` or no words. */
export async function findSubjects(
  words: readonly string[],
  directory: string,
): Promise<{ readonly subjects: readonly SubjectDefinition[]; readonly problems: readonly Problem[] }> {
  if (words.length === 0) return { subjects: builtInSubjects, problems: [] };
  const subjects: SubjectDefinition[] = [];
  const problems: Problem[] = [];
  for (const word of words) {
    const named = builtInSubjects.filter(({ name }) => name === word || word === "all");
    const found = named.length > 0 ? named : await loadFrom(word, directory);
    if ("expected" in found) problems.push(found);
    else subjects.push(...found);
  }
  return { subjects, problems };
}

async function loadFrom(word: string, directory: string): Promise<readonly SubjectDefinition[] | Problem> {
  const names = builtInSubjects.map(({ name }) => name);
  const known = `the name of a subject (${anyOf([...names, "all"])})`;
  const from = join(directory, "nopage.config.js");
  const problem = (expected: string): Problem => {
    const nearest = looksLikePath(word) ? nearestModule(word, from) : nearestName(word, names);
    return { path: "--subject", value: word, expected, nearest };
  };
  if (!looksLikePath(word)) return problem(`${known}, or the path of a module that exports one`);
  try {
    const exported = Object.values(await createModuleLoader(from)(moduleId(word, from)));
    const found = [...new Set(exported)].filter(isSubject);
    return found.length > 0 ? found : problem("a module that exports what defineSubject has made");
  } catch (failure) {
    return problem(`${known}, or a module that exports one, but it cannot be loaded: ${firstLine(failure)}`);
  }
}

function isSubject(value: unknown): value is SubjectDefinition {
  return (
    typeof value === "object" &&
    value !== null &&
    "name" in value &&
    typeof value.name === "string" &&
    "supports" in value &&
    "pages" in value &&
    typeof value.pages === "number" &&
    "setUp" in value &&
    typeof value.setUp === "function"
  );
}
