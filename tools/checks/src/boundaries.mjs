// Which package may import which, who may know the container, and that a contract has no run-time dependency.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cruise } from "dependency-cruiser";
import ts from "typescript";
import { packageDirectories, sourceFiles } from "./workspace.mjs";

// Arrows only point down. A package that is not in this table may not exist; "*" stands for every package.
const mayImport = {
  core: [],
  strategies: ["core"],
  "device-highway": ["core"],
  testkit: ["core", "device-highway"],
  "linux-lab": ["core", "device-highway", "testkit"],
  cli: ["*"],
};

const containers = "tsyringe|reflect-metadata";
const containerModule = `(^|/)node_modules/(${containers})/|^(${containers})(/|$)`;

function arrowRule(name, allowed) {
  const own = name === "strategies" ? "strategies/[^/]+" : name;
  // A strategy is in the same folder as the others, so "own" is the one that the importing file is in.
  const from = `^packages/(${own})/src/`;
  const reachable = ["$1", ...allowed].join("|");
  return {
    name: `arrows-of-${name}`,
    comment: `${name} may import ${allowed.length === 0 ? "no other package" : `only ${allowed.join(", ")}`}`,
    severity: "error",
    from: { path: from },
    to: { path: "^packages/", pathNot: `^packages/(${reachable})/` },
  };
}

const rules = [
  ...Object.entries(mayImport)
    .filter(([, allowed]) => !allowed.includes("*"))
    .map(([name, allowed]) => arrowRule(name, allowed)),
  {
    name: "container-only-in-wiring",
    comment: "only packages/core/src/wiring may import tsyringe or reflect-metadata",
    severity: "error",
    from: { pathNot: "^packages/core/src/wiring/" },
    to: { path: containerModule },
  },
  {
    name: "resolvable",
    comment: "an import that does not resolve cannot be checked",
    severity: "error",
    from: { path: "^packages/(strategies/[^/]+|[^/]+)/src/", pathNot: "^packages/core/src/wiring/" },
    // `/// <reference types="node" />` counts as an import of "node".
    to: { couldNotResolve: true, pathNot: `${containerModule}|^node$` },
  },
];

/**
 * What a contract file imports at run time is what the compiler leaves in its output. dependency-cruiser cannot tell:
 * it takes `import { type X }` for erased, but under verbatimModuleSyntax the import itself stays.
 */
function contractProblems(root, file) {
  const folder = file.slice(0, file.indexOf("/src/contract/") + "/src/contract/".length);
  const { outputText } = ts.transpileModule(readFileSync(join(root, file), "utf8"), {
    fileName: file,
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2022,
      verbatimModuleSyntax: true,
    },
  });
  const isInside = (specifier) =>
    specifier.startsWith(".") && join(dirname(file), specifier).startsWith(folder);
  return ts
    .preProcessFile(outputText, true, true)
    .importedFiles.map(({ fileName }) => fileName)
    .filter((specifier) => !isInside(specifier))
    .map(
      (specifier) =>
        `${file} imports ${specifier}: a contract file may import types only, and values only from a file beside it, so write "import type" (contract-has-no-run-time-import)`,
    );
}

/** Returns the problems found under `root`, each a line of text, and how many modules were looked at. */
export async function checkBoundaries(root) {
  const problems = [];
  for (const directory of packageDirectories(root)) {
    const name = directory.split("/")[1];
    if (!(name in mayImport))
      problems.push(`${directory}: not in the table of tools/checks/src/boundaries.mjs`);
  }
  const folders = packageDirectories(root)
    .flatMap((directory) => ["src", "test", "bench", "mutants"].map((folder) => `${directory}/${folder}`))
    .filter((folder) => existsSync(join(root, folder)));
  const files = sourceFiles(root, ["src"]);
  const result = await cruise(
    folders,
    {
      baseDir: root,
      ruleSet: { forbidden: rules },
      validate: true,
      doNotFollow: { path: "node_modules" },
      tsPreCompilationDeps: "specify",
      outputType: "json",
    },
    {
      exportsFields: ["exports"],
      conditionNames: ["source", "import", "node", "default"],
      extensions: [".ts", ".js"],
    },
  );
  const { modules, summary } = JSON.parse(result.output);
  for (const { from, to, rule } of summary.violations) {
    const { comment } = rules.find(({ name }) => name === rule.name);
    problems.push(`${from} imports ${to}: ${comment} (${rule.name})`);
  }
  for (const file of files.filter((name) => name.includes("/src/contract/"))) {
    problems.push(...contractProblems(root, file));
  }
  const seen = new Set(modules.map(({ source }) => source));
  const missed = files.filter((file) => !seen.has(file));
  if (files.length === 0) problems.push("no source file was found under packages/*/src");
  if (missed.length > 0) {
    problems.push(
      `${missed.length} of ${files.length} source files were not looked at, the first is ${missed[0]}`,
    );
  }
  return { problems, looked: files.length - missed.length };
}
