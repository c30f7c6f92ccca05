// The rules of the house that no general tool knows: short files, no clock or chance in simulated code, no registry
// address in a committed file.
import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { sourceFiles } from "./workspace.mjs";

const LONGEST_FILE = 400;

// The same program with the same seed must give the same events, so the machine may not ask the world outside.
const deterministic = /^packages\/(core|strategies\/[^/]+|device-highway)\/src\//;
const forbiddenCalls = new Set(["setTimeout", "setInterval", "setImmediate", "queueMicrotask"]);
const forbiddenObjects = new Set(["Date", "performance", "crypto"]);
const forbiddenMembers = { Math: "random", process: "hrtime" };

export function checkHouseStyle(root) {
  const problems = [];
  const lengths = [];
  for (const file of sourceFiles(root, ["src", "mutants"])) {
    const text = readFileSync(join(root, file), "utf8");
    lengths.push(countLines(text));
    problems.push(
      ...lengthProblems(file, countLines(text)),
      ...nameProblems(file),
      ...treeProblems(file, text),
    );
  }
  // A test may be called what it likes, but it is read as much as what it tests.
  for (const file of sourceFiles(root, ["test", "bench"])) {
    problems.push(...lengthProblems(file, countLines(readFileSync(join(root, file), "utf8"))));
  }
  if (lengths.length === 0) problems.push("no source file was found under packages/*/src");
  for (const file of committedFiles(root)) problems.push(...addressProblems(root, file));
  lengths.sort((a, b) => a - b);
  return {
    problems,
    looked: lengths.length,
    median: lengths[lengths.length >> 1] ?? 0,
    longest: lengths.at(-1) ?? 0,
  };
}

function countLines(text) {
  return text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}

function lengthProblems(file, length) {
  return length <= LONGEST_FILE ? [] : [`${file}: ${length} lines; split it, ${LONGEST_FILE} is the limit`];
}

function nameProblems(file) {
  const parts = file.slice(file.indexOf("/src/") + 5).split("/");
  return parts
    .filter((part) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.d)?(\.ts)?$/.test(part))
    .map((part) => `${file}: "${part}" is not in kebab-case`);
}

/** Looks at the syntax tree, so that comments and strings do not count. */
function treeProblems(file, text) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
  const declared = declaredNames(source);
  const problems = [];
  const report = (node, message) => {
    const { line, character } = source.getLineAndCharacterOfPosition(node.getStart(source));
    problems.push(`${file}:${line + 1}:${character + 1} ${message}`);
  };
  const visit = (node) => {
    if (ts.isExportAssignment(node)) report(node, "no default exports");
    else if (ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword)) {
      report(node, "no default exports");
    }
    if (ts.isExportSpecifier(node) && node.name.text === "default") report(node, "no default exports");
    if (deterministic.test(file) && ts.isIdentifier(node) && !declared.has(node.text)) {
      const found = outsideWorld(node);
      if (found !== undefined)
        report(node, `${found} makes a run differ from the next; use virtual time or the seed`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return problems;
}

/** The name of the clock, timer or source of chance that this identifier reaches, if it does. */
function outsideWorld(identifier) {
  const { parent, text } = identifier;
  const isGlobalThis = ts.isPropertyAccessExpression(parent) && parent.expression.getText() === "globalThis";
  const isNameOfMember = ts.isPropertyAccessExpression(parent) && parent.name === identifier && !isGlobalThis;
  if (isNameOfMember || isDeclaredName(parent, identifier) || ts.isPartOfTypeNode(identifier))
    return undefined;
  if (forbiddenCalls.has(text) || forbiddenObjects.has(text)) return text;
  const member = Object.hasOwn(forbiddenMembers, text) ? forbiddenMembers[text] : undefined;
  if (member === undefined) return undefined;
  const holder = isGlobalThis ? parent : identifier;
  const user = holder.parent;
  if (ts.isPropertyAccessExpression(user) && user.expression === holder) {
    return user.name.text === member ? `${text}.${member}` : undefined;
  }
  // Anything but `Math.name` hides which member is used: `Math["random"]`, `const { random } = Math`.
  return text;
}

/** A simulated kernel has a `process` of its own: what the file declares or imports is not the global. */
function declaredNames(source) {
  const names = new Set();
  const visit = (node) => {
    const binds =
      ts.isParameter(node) ||
      ts.isVariableDeclaration(node) ||
      ts.isBindingElement(node) ||
      ts.isImportSpecifier(node) ||
      ts.isFunctionDeclaration(node) ||
      ts.isClassDeclaration(node);
    if (binds && node.name !== undefined && ts.isIdentifier(node.name)) names.add(node.name.text);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return names;
}

function isDeclaredName(parent, identifier) {
  if (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) || ts.isPropertyDeclaration(parent)) {
    return parent.name === identifier;
  }
  return (
    (ts.isMethodDeclaration(parent) || ts.isMethodSignature(parent) || ts.isGetAccessor(parent)) &&
    parent.name === identifier
  );
}

// Spelled in pieces, so that this file does not report itself.
const addresses = new RegExp(
  [
    ["registry", "npmjs", "org"].join("\\."),
    ["registry", "yarnpkg", "com"].join("\\."),
    ["npm", "pkg", "github", "com"].join("\\."),
    "_auth" + "Token",
    "https?://[^\\s\"'`)]*(verdaccio|artifactory|nexus|/npm/|:4873)",
  ].join("|"),
  "i",
);

function addressProblems(root, file) {
  const path = join(root, file);
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return [];
  const content = readFileSync(path);
  // A NUL byte means that nobody reads it as text.
  if (content.length > 4_000_000 || content.subarray(0, 8000).includes(0)) return [];
  const text = content.toString("utf8");
  const problems = [];
  const own = process.env.npm_config_registry;
  const match =
    addresses.exec(text)?.[0] ?? (own && text.includes(new URL(own).host) ? new URL(own).host : undefined);
  if (match !== undefined) problems.push(`${file}: names a registry or its credentials (${match})`);
  if (file.endsWith(".npmrc") && /^\s*(@[^:]+:)?registry\s*=/m.test(text))
    problems.push(`${file}: sets a registry`);
  if (file.endsWith("pnpm-lock.yaml") && /tarball: *http/.test(text))
    problems.push(`${file}: holds download addresses`);
  return problems;
}

/** Files that are or will be committed; none outside a git checkout. */
function committedFiles(root) {
  try {
    const options = { cwd: root, encoding: "utf8", maxBuffer: 64 << 20, stdio: ["ignore", "pipe", "ignore"] };
    return execFileSync("git", ["ls-files", "-co", "--exclude-standard", "-z"], options)
      .split("\0")
      .filter(Boolean);
  } catch {
    return [];
  }
}
