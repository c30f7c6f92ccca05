import { join } from "node:path";
import { anyOf, nearestName, type Problem } from "@nopage/core/wiring";
import { builtInSubjects, type SubjectDefinition, twins } from "@nopage/linux-lab";
import { createModuleLoader } from "../config/load-module.ts";
import { looksLikePath, moduleId, nearestModule } from "../config/module-path.ts";
import { firstLine } from "../report/first-line.ts";

/** What names all that the lab brings, twins and what a stock kernel has. */
const ALL = "all";

/** Strategies, each of which names its twins on every kind of memory: `lazy-nopage` for `lazy-nopage.pages` and so on. */
const strategies: readonly string[] = [
  ...new Set(twins.flatMap(({ name }) => (name.includes(".") ? [name.slice(0, name.indexOf("."))] : []))),
];

/** Every word that names subjects: strategies first, so that half of a name is taken for the whole of it. */
export const subjectNames: readonly string[] = [
  ...new Set([...strategies, ...builtInSubjects.map(({ name }) => name), ALL]),
];

/** The words that name built in subjects of one sort, and no others. */
export function namesOf(isOfIt: (subject: SubjectDefinition) => boolean): readonly string[] {
  return subjectNames.filter((word) => builtInSubjects.every((it) => !isNamed(it.name, word) || isOfIt(it)));
}

/**
 * The subjects that words name, none twice: each by its name, by its strategy's or by the path of a module that exports it; all
 * built in ones for `all`, the twins for no words.
 */
export async function findSubjects(
  words: readonly string[],
  directory: string,
): Promise<{ readonly subjects: readonly SubjectDefinition[]; readonly problems: readonly Problem[] }> {
  if (words.length === 0) return { subjects: twins, problems: [] };
  const subjects = new Set<SubjectDefinition>();
  const problems: Problem[] = [];
  for (const word of words) {
    const named = builtInSubjects.filter(({ name }) => isNamed(name, word));
    const found = named.length > 0 ? named : await loadFrom(word, directory);
    if ("expected" in found) problems.push(found);
    else for (const subject of found) subjects.add(subject);
  }
  return { subjects: [...subjects], problems };
}

function isNamed(name: string, word: string): boolean {
  return word === ALL || name === word || (strategies.includes(word) && name.startsWith(`${word}.`));
}

async function loadFrom(word: string, directory: string): Promise<readonly SubjectDefinition[] | Problem> {
  const known = `the name of a subject or of a strategy (${anyOf(subjectNames)})`;
  const from = join(directory, "nopage.config.js");
  const problem = (expected: string): Problem => {
    const nearest = looksLikePath(word) ? nearestModule(word, from) : nearestName(word, subjectNames);
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
