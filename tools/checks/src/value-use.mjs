// What becomes of the value of an expression: dropped, tested, computed with, kept in a variable, or handed on.
import ts from "typescript";

const { SyntaxKind: Kind } = ts;

const ARITHMETIC = new Set([
  Kind.PlusToken,
  Kind.MinusToken,
  Kind.AsteriskToken,
  Kind.AsteriskAsteriskToken,
  Kind.SlashToken,
  Kind.PercentToken,
  Kind.AmpersandToken,
  Kind.BarToken,
  Kind.CaretToken,
  Kind.LessThanLessThanToken,
  Kind.GreaterThanGreaterThanToken,
  Kind.GreaterThanGreaterThanGreaterThanToken,
  Kind.LessThanToken,
  Kind.LessThanEqualsToken,
  Kind.GreaterThanToken,
  Kind.GreaterThanEqualsToken,
]);
const ARITHMETIC_ASSIGNMENT = new Set([
  Kind.PlusEqualsToken,
  Kind.MinusEqualsToken,
  Kind.AsteriskEqualsToken,
  Kind.AsteriskAsteriskEqualsToken,
  Kind.SlashEqualsToken,
  Kind.PercentEqualsToken,
  Kind.AmpersandEqualsToken,
  Kind.BarEqualsToken,
  Kind.CaretEqualsToken,
  Kind.LessThanLessThanEqualsToken,
  Kind.GreaterThanGreaterThanEqualsToken,
  Kind.GreaterThanGreaterThanGreaterThanEqualsToken,
]);
const EQUALITY = new Set([
  Kind.EqualsEqualsToken,
  Kind.EqualsEqualsEqualsToken,
  Kind.ExclamationEqualsToken,
  Kind.ExclamationEqualsEqualsToken,
]);
const LOGICAL = new Set([Kind.AmpersandAmpersandToken, Kind.BarBarToken, Kind.QuestionQuestionToken]);

/** How the value of `node` is used, or undefined when somebody else gets it. */
export function useOf(node, checker) {
  const { parent } = node;
  switch (parent.kind) {
    case Kind.ParenthesizedExpression:
    case Kind.AsExpression:
    case Kind.SatisfiesExpression:
    case Kind.NonNullExpression:
      return useOf(parent, checker);
    case Kind.ExpressionStatement:
    case Kind.VoidExpression:
      return { kind: "dropped" };
    case Kind.AwaitExpression:
      return { kind: "awaited" };
    case Kind.YieldExpression:
      return parent.asteriskToken === undefined ? { kind: "yielded" } : undefined;
    case Kind.IfStatement:
    case Kind.WhileStatement:
    case Kind.DoStatement:
      return { kind: "condition" };
    case Kind.SwitchStatement:
    case Kind.CaseClause:
      return { kind: "operand", isEquality: true };
    case Kind.TemplateSpan:
      return ts.isTaggedTemplateExpression(parent.parent.parent) ? undefined : { kind: "operand" };
    case Kind.PrefixUnaryExpression:
      return { kind: parent.operator === Kind.ExclamationToken ? "condition" : "operand" };
    case Kind.ForStatement:
      if (parent.condition === node) return { kind: "condition" };
      return { kind: "dropped" };
    case Kind.ConditionalExpression:
      return parent.condition === node ? { kind: "condition" } : useOf(parent, checker);
    case Kind.BinaryExpression:
      return useInBinary(node, parent, checker);
    case Kind.VariableDeclaration:
      return parent.initializer === node && ts.isIdentifier(parent.name) && !isLoopVariable(parent)
        ? { kind: "stored", variable: parent.name }
        : undefined;
    case Kind.ArrowFunction:
      return parent.body === node ? useOfReturned(parent, checker) : undefined;
    case Kind.ReturnStatement: {
      const maker = enclosingFunction(parent);
      return maker === undefined ? undefined : useOfReturned(maker, checker);
    }
    default:
      return undefined;
  }
}

function useInBinary(node, parent, checker) {
  const operator = parent.operatorToken.kind;
  if (operator === Kind.CommaToken)
    return parent.left === node ? { kind: "dropped" } : useOf(parent, checker);
  if (LOGICAL.has(operator)) {
    if (parent.right === node) return useOf(parent, checker);
    return operator === Kind.QuestionQuestionToken ? useOf(parent, checker) : { kind: "condition" };
  }
  if (ARITHMETIC.has(operator)) return { kind: "operand" };
  if (EQUALITY.has(operator)) return { kind: "operand", isEquality: true };
  if (parent.right !== node) return undefined;
  if (ARITHMETIC_ASSIGNMENT.has(operator)) return { kind: "operand" };
  if (operator !== Kind.EqualsToken || !ts.isIdentifier(parent.left)) return undefined;
  // The value of the whole assignment may be used too, and then the variable is not the only way to it.
  return useOf(parent, checker)?.kind === "dropped" ? { kind: "stored", variable: parent.left } : undefined;
}

function isLoopVariable(declaration) {
  const list = declaration.parent;
  return ts.isForOfStatement(list.parent) || ts.isForInStatement(list.parent);
}

function enclosingFunction(node) {
  for (let up = node.parent; up !== undefined; up = up.parent) {
    if (ts.isFunctionLike(up)) return up;
  }
  return undefined;
}

/** What a callback returns is dropped when its caller takes a function that returns nothing. */
function useOfReturned(maker, checker) {
  if (!ts.isArrowFunction(maker) && !ts.isFunctionExpression(maker)) return undefined;
  if (maker.asteriskToken !== undefined || maker.type !== undefined) return undefined;
  if (!isResultIgnored(maker, checker)) return undefined;
  return { kind: "dropped", text: "the caller ignores what this function returns" };
}

/** True for a callback that is declared to return nothing, and for one that vitest calls: it takes any result for a pass. */
export function isResultIgnored(maker, checker) {
  const { parent } = maker;
  if (ts.isCallExpression(parent) && parent.arguments.includes(maker) && isTestFunction(parent.expression)) {
    return true;
  }
  const expected = checker.getContextualType(maker);
  if (expected === undefined) return false;
  const signatures = checker.getSignaturesOfType(checker.getNonNullableType(expected), ts.SignatureKind.Call);
  if (signatures.length === 0) return false;
  return signatures.every((one) => checker.getReturnTypeOfSignature(one).flags & ts.TypeFlags.Void);
}

const TEST_FUNCTIONS = new Set([
  "test",
  "it",
  "describe",
  "bench",
  "beforeAll",
  "beforeEach",
  "afterAll",
  "afterEach",
]);

/** `test`, and also `test.only`, `test.each(…)` and `test.prop(…)`. */
function isTestFunction(callee) {
  let node = callee;
  while (!ts.isIdentifier(node)) {
    if (!ts.isPropertyAccessExpression(node) && !ts.isCallExpression(node)) return false;
    node = node.expression;
  }
  return TEST_FUNCTIONS.has(node.text);
}

/** An identifier that names a declaration, a property or a callee is judged with the expression that it belongs to. */
export function isNameOfSomethingElse(node) {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) || ts.isCallExpression(parent)) {
    return !(ts.isCallExpression(parent) && parent.arguments.includes(node));
  }
  return ts.isDeclaration(parent) && parent.name === node;
}
