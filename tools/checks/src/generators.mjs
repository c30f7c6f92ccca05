// Finds generators that are made but never run: a forgotten `yield*`. TypeScript accepts each of these, and none of
// them does anything, so a lock stays untaken or a condition stays true for ever.
//
// Reported is a call that makes a generator when the result
//   - is dropped: a statement, behind void, or returned to a caller that expects nothing; alone, or with others in an
//     array that a callback has filled;
//   - goes into a variable that nobody reads, or that is only tested and compared;
//   - is used as if it were the result: a condition, an operand, a part of a string, awaited, or yielded without the star.
// A generator that is passed on, returned, or stored in a field or an array is somebody else's to run, and allowed.
import { join } from "node:path";
import ts from "typescript";
import { isNameOfSomethingElse, isResultIgnored, useOf } from "./value-use.mjs";
import { sourceFiles } from "./workspace.mjs";

/** Compiles `files` (absolute names) for looking at types; packages resolve to their sources. */
export function createProgram(root, configFile, files) {
  const { config, error } = ts.readConfigFile(join(root, configFile), ts.sys.readFile);
  if (error) throw new Error(ts.flattenDiagnosticMessageText(error.messageText, "\n"));
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files }, ts.sys, root);
  return ts.createProgram({
    rootNames: files,
    options: { ...options, noEmit: true, composite: false, incremental: false, tsBuildInfoFile: undefined },
  });
}

/** Returns the reports for the whole workspace under `root`, and how many files were looked at. */
export function checkGenerators(root) {
  // A type test is compiled and never run, so what it drops does no harm.
  const files = sourceFiles(root, ["src", "test", "bench", "mutants"]).filter(
    (file) => !file.endsWith(".test-d.ts"),
  );
  if (files.length === 0) return { problems: ["no source file was found under packages/*"], looked: 0 };
  const program = createProgram(
    root,
    "tsconfig.test.json",
    files.map((file) => join(root, file)),
  );
  return findUndelegated(program, root, files);
}

export function findUndelegated(program, root, files) {
  const checker = program.getTypeChecker();
  const problems = [];
  let looked = 0;
  for (const file of files) {
    const source = program.getSourceFile(join(root, file));
    if (source === undefined) {
      problems.push(`${file}: the compiler did not load this file`);
      continue;
    }
    looked += 1;
    problems.push(...unresolvedImports(program, source, file));
    problems.push(...new FileCheck(program, checker, source, file).run());
  }
  return { problems, looked };
}

/** An import that does not resolve makes every type behind it `any`, which would silence the check. */
function unresolvedImports(program, source, file) {
  const problems = [];
  for (const specifier of source.imports ?? []) {
    const mode = ts.getModeForUsageLocation(source, specifier, program.getCompilerOptions());
    const resolved = program.getResolvedModule(source, specifier.text, mode)?.resolvedModule;
    const isOurs = /^(\.|#|@nopage\/|nopage$)/.test(specifier.text);
    if (!isOurs || specifier.text.endsWith(".json")) continue;
    const position = at(source, file, specifier);
    if (resolved === undefined) {
      problems.push(`${position} ${specifier.text} does not resolve, so its types cannot be checked`);
    } else if (/\/dist\//.test(resolved.resolvedFileName)) {
      problems.push(`${position} ${specifier.text} resolves to compiled code, not to its source`);
    }
  }
  return problems;
}

function at(source, file, node) {
  const { line, character } = source.getLineAndCharacterOfPosition(node.getStart(source));
  return `${file}:${line + 1}:${character + 1}`;
}

class FileCheck {
  constructor(program, checker, source, file) {
    this.program = program;
    this.checker = checker;
    this.source = source;
    this.file = file;
    this.problems = [];
    this.candidates = [];
    /** Variables of which the wrong use was reported: that nobody runs what they hold goes without saying. */
    this.told = new Set();
  }

  run() {
    this.visit(this.source);
    this.reportUnread();
    return this.problems;
  }

  visit(node) {
    if (ts.isCallExpression(node) || ts.isTaggedTemplateExpression(node)) this.checkCall(node);
    else if (ts.isFunctionExpression(node)) this.checkGeneratorFunction(node);
    else if (ts.isIdentifier(node) || ts.isPropertyAccessExpression(node)) this.checkHeldGenerator(node);
    ts.forEachChild(node, (child) => this.visit(child));
  }

  checkCall(call) {
    const use = useOf(call, this.checker);
    if (use === undefined) return;
    const type = this.checker.getTypeAtLocation(call);
    const name = calledName(call, this.source);
    if (use.kind === "dropped" && this.collectsGenerators(call, type)) {
      this.report(call, name, { kind: "collected" });
      return;
    }
    if (!this.isGenerator(type) || this.onlyHandsOver(call)) return;
    if (use.kind === "stored") this.candidates.push({ call, name, symbol: this.symbolOf(use.variable) });
    else this.report(call, name, use);
  }

  /**
   * A variable or field that holds a generator is never a truth value, a number or a string. It may be tested for
   * presence when its type says that it may be absent, and compared with another generator.
   */
  checkHeldGenerator(node) {
    if (isNameOfSomethingElse(node)) return;
    const use = useOf(node, this.checker);
    if (use === undefined || use.kind === "dropped" || use.kind === "stored" || use.isEquality) return;
    // Asked is the declared type, because a test for presence narrows the type at the next test.
    const symbol = this.symbolOf(ts.isIdentifier(node) ? node : node.name);
    if (symbol === undefined || !this.isOnlyGenerator(this.checker.getTypeOfSymbol(symbol))) return;
    this.told.add(symbol);
    this.report(node, node.getText(this.source), use);
  }

  /** A generator function given to something that only calls it is never run. */
  checkGeneratorFunction(maker) {
    if (maker.asteriskToken === undefined || !isResultIgnored(maker, this.checker)) return;
    const position = at(this.source, this.file, maker);
    this.problems.push(
      `${position} function*: it is called by something that does not run generators; pass a plain function that runs it`,
    );
  }

  /** `list.map(make)`: an array of what a callback answered. One without a callback hands over what was in it. */
  collectsGenerators(call, type) {
    if (!ts.isCallExpression(call) || !this.checker.isArrayType(type)) return false;
    const [element] = this.checker.getTypeArguments(type);
    const isFunction = (argument) => this.checker.getTypeAtLocation(argument).getCallSignatures().length > 0;
    return element !== undefined && this.isGenerator(element) && call.arguments.some(isFunction);
  }

  /** A test for presence and a comparison do not run what a variable holds. */
  isOnlyTested(identifier) {
    const use = useOf(identifier, this.checker);
    return use?.kind === "condition" || use?.isEquality === true;
  }

  /** `stack.pop()` or `map.get(key)` hands over a generator that exists already; `f.call(x)` makes one. */
  onlyHandsOver(call) {
    const declaration = this.checker.getResolvedSignature(call)?.declaration;
    if (declaration === undefined) return false;
    if (!this.program.isSourceFileDefaultLibrary(declaration.getSourceFile())) return false;
    const owner = declaration.parent;
    const ownerName = ts.isInterfaceDeclaration(owner) ? owner.name.text : "";
    return !["CallableFunction", "NewableFunction", "Function"].includes(ownerName);
  }

  isGenerator(type) {
    return this.parts(type).some((part) => this.isGeneratorPart(part));
  }

  isOnlyGenerator(type) {
    const parts = this.parts(type);
    return parts.length > 0 && parts.every((part) => this.isGeneratorPart(part));
  }

  parts(type) {
    const constraint =
      type.flags & ts.TypeFlags.Instantiable ? this.checker.getBaseConstraintOfType(type) : type;
    if (constraint === undefined) return [];
    return constraint.isUnionOrIntersection()
      ? constraint.types.flatMap((part) => this.parts(part))
      : [constraint];
  }

  isGeneratorPart(type) {
    const symbol = type.getSymbol();
    if (symbol === undefined) return false;
    if (symbol.name === "Generator") {
      return (
        symbol.declarations?.some((one) => this.program.isSourceFileDefaultLibrary(one.getSourceFile())) ??
        false
      );
    }
    if (!type.isClassOrInterface() && !(type.objectFlags & ts.ObjectFlags.Reference)) return false;
    const target = type.target ?? type;
    return (
      target.isClassOrInterface() && this.checker.getBaseTypes(target).some((base) => this.isGenerator(base))
    );
  }

  symbolOf(identifier) {
    return this.checker.getSymbolAtLocation(identifier);
  }

  report(node, name, { kind, text }) {
    const star = `yield* ${name}(…)`.replace("(…)", ts.isCallExpression(node) ? "(…)" : "");
    const advice = ADVICE[kind](name, star);
    this.problems.push(`${at(this.source, this.file, node)} ${name}: ${advice}${text ? ` (${text})` : ""}`);
  }

  reportUnread() {
    if (this.candidates.length === 0) return;
    const read = new Set();
    const visit = (node) => {
      if (ts.isIdentifier(node) && isRead(node) && !this.isOnlyTested(node)) {
        const symbol = ts.isShorthandPropertyAssignment(node.parent)
          ? this.checker.getShorthandAssignmentValueSymbol(node.parent)
          : this.symbolOf(node);
        if (symbol !== undefined) read.add(symbol);
        // An `export { name }` reads the variable through an alias.
        if (symbol !== undefined && ts.isExportSpecifier(node.parent)) {
          const local = this.checker.getExportSpecifierLocalTargetSymbol(node.parent);
          if (local !== undefined) read.add(local);
        }
      }
      ts.forEachChild(node, visit);
    };
    visit(this.source);
    for (const { call, name, symbol } of this.candidates) {
      if (symbol === undefined || read.has(symbol) || this.told.has(symbol) || isExported(symbol)) continue;
      this.report(call, name, { kind: "stored" });
    }
  }
}

const ADVICE = {
  collected: () => "makes an array of generators that nobody runs; write a loop with `yield*` in it",
  dropped: (_name, star) => `makes a generator that nobody runs; write \`${star}\``,
  stored: (_name, star) => `its generator goes into a variable that nobody runs; write \`${star}\``,
  condition: (_name, star) => `is a generator, and that is always true; write \`(${star})\``,
  operand: (_name, star) => `is a generator here, not its result; write \`(${star})\``,
  awaited: (_name, star) => `is a generator, not a promise, so await does not run it; write \`${star}\``,
  yielded: (_name, star) => `is yielded as an object and nobody runs it; write \`${star}\``,
};

function calledName(call, source) {
  const callee = ts.isTaggedTemplateExpression(call) ? call.tag : call.expression;
  const text = callee.getText(source).replace(/\s+/g, " ");
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** Everything but the name in a declaration and the target of an assignment that is a statement by itself. */
function isRead(identifier) {
  let node = identifier;
  while (ts.isParenthesizedExpression(node.parent)) node = node.parent;
  const { parent } = node;
  if (ts.isVariableDeclaration(parent) && parent.name === node) return false;
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) return false;
  if (ts.isPropertyAssignment(parent) && parent.name === node) return false;
  const isTarget =
    ts.isBinaryExpression(parent) &&
    parent.left === node &&
    parent.operatorToken.kind === ts.SyntaxKind.EqualsToken;
  return !isTarget;
}

function isExported(symbol) {
  return (
    symbol.declarations?.some((one) => ts.getCombinedModifierFlags(one) & ts.ModifierFlags.Export) ?? false
  );
}

/** The folder of fixtures is a project of its own, so that the planted mistakes do not break the real check. */
export function checkFixtures(directory) {
  const files = ts.sys.readDirectory(directory, [".ts"]).map((file) => file.slice(directory.length + 1));
  const program = createProgram(
    directory,
    "tsconfig.json",
    files.map((file) => join(directory, file)),
  );
  return { ...findUndelegated(program, directory, files), program, files };
}
