import { existsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { anyOf, nearestName, type Problem } from "@nopage/core/wiring";
import { allLaws, familyOf, geometryNames, selectLaws } from "@nopage/testkit/conform";
import type { ConformFlags } from "../command/conform.ts";
import { looksLikePath } from "../config/module-path.ts";

const ids = allLaws.map(({ id }) => id);
const families = [...new Set(ids.map(familyOf))];

/** The geometries that are asked for, and everything that is wrong with the flags. */
export function checkConform(
  { law = [], geometry, junit, markdown, explain }: ConformFlags,
  format: "table" | "json",
  directory: string,
  plugins: readonly string[],
): { readonly geometries: typeof geometryNames; readonly problems: readonly Problem[] } {
  const wanted = new Set<string>(geometry ?? geometryNames);
  const geometries = geometryNames.filter((name) => wanted.has(name));
  const problems = [
    ...[...law.flatMap(checkLaw), ...(geometry ?? []).flatMap(checkGeometry)].map((problem) =>
      isPluginIn(problem, plugins)
        ? { ...problem, expected: `${problem.expected}; a plugin is named before ${problem.path}` }
        : problem,
    ),
    ...checkFile("--junit", junit, directory),
    ...checkFile("--markdown", markdown, directory),
    ...(explain === undefined ? [] : checkExplain(explain, format)),
  ];
  return { geometries, problems };
}

/** Whether a word behind an option that takes several was meant as that of a plugin. */
function isPluginIn({ value }: Problem, plugins: readonly string[]): boolean {
  return typeof value === "string" && (plugins.includes(value) || looksLikePath(value));
}

/** What `--mutants` cannot have beside it, and laws that it has nothing for. */
export function checkMutants(flags: ConformFlags, mutants: number): readonly Problem[] {
  const { law = [] } = flags;
  const problems = notBesideMutants.flatMap((name): readonly Problem[] => {
    const value = flags[name];
    if (value === undefined) return [];
    const expected = "no --mutants beside it: what the laws catch is told as a list, by itself or with --law";
    return [{ path: `--${name}`, value, expected, nearest: undefined }];
  });
  const unknown = law.flatMap(checkLaw);
  problems.push(...unknown);
  if (unknown.length === 0 && mutants === 0) {
    const expected = "a law that some mutant breaks";
    problems.push({ path: "--law", value: law.join(" "), expected, nearest: undefined });
  }
  return problems;
}

const notBesideMutants = ["config", "geometry", "junit", "markdown", "explain"] as const;

export function checkLaw(value: string): readonly Problem[] {
  if (selectLaws([value]).length > 0) return [];
  const nearest = nearestLaw(value, [...families, ...ids]);
  return [
    { path: "--law", value, expected: `a law such as ${ids[0]}, or a family: ${anyOf(families)}`, nearest },
  ];
}

export function checkGeometry(value: string): readonly Problem[] {
  if (geometryNames.some((name) => name === value)) return [];
  const expected = `the name of a geometry: ${anyOf(geometryNames)}`;
  return [{ path: "--geometry", value, expected, nearest: nearestName(value, geometryNames) }];
}

function checkExplain(value: string, format: "table" | "json"): readonly Problem[] {
  const problems: Problem[] = [];
  if (!ids.includes(value.toUpperCase())) {
    const own = ids.filter((id) => familyOf(id) === value.toUpperCase());
    const expected = own.length > 0 ? `one law of that family: ${anyOf(own)}` : `a law such as ${ids[0]}`;
    problems.push({ path: "--explain", value, expected, nearest: nearestLaw(value, ids) });
  }
  if (format === "json") {
    const expected = "no --explain beside it: what a law does is told in words";
    problems.push({ path: "--json", value: true, expected, nearest: undefined });
  }
  return problems;
}

/** What a file is to be written to has to be there before hours of work are lost. */
export function checkFile(path: string, value: string | undefined, directory: string): readonly Problem[] {
  if (value === undefined) return [];
  const file = resolve(directory, value);
  if (existsSync(file) && statSync(file).isDirectory()) {
    return [{ path, value, expected: "the path of a file, but this is a folder", nearest: undefined }];
  }
  if (existsSync(dirname(file))) return [];
  return [{ path, value, expected: "a path in a folder that exists", nearest: undefined }];
}

/** A law that is asked for in lower case, or with its number left as people say it, is meant as it is. */
function nearestLaw(value: string, known: readonly string[]): string | undefined {
  const upper = value.toUpperCase().replace(/^([A-Z]+)-?(\d)$/, "$1-0$2");
  return known.includes(upper) ? upper : nearestName(value, known);
}
