import * as v from "valibot";

/** The files that this command writes to read them again, and what each is for. */
const kinds = {
  counterexample: "a failure, which nopage replay FILE runs again",
  search: "a search that was left off, which nopage explore --resume FILE goes on with",
  recording: "a recorded order, which nopage run --replay FILE repeats",
} as const;

type Kind = keyof typeof kinds;

const headed = v.looseObject({ nopage: v.string() });
const versioned = v.looseObject({ version: v.number() });

/** Why a file's data is not of the kind that was wanted: words to go on from `but`. */
export function whyNotRead(data: unknown, wanted: Kind, issue: v.BaseIssue<unknown>): string {
  if (!v.is(headed, data)) return "nopage has not written it: it does not say at its top what it is";
  const { nopage } = data;
  if (Object.hasOwn(kinds, nopage) && nopage !== wanted) return `it is ${kinds[nopage as Kind]}`;
  if (nopage !== wanted)
    return `it says that it is ${JSON.stringify(nopage)}, which this nopage does not know`;
  if (v.is(versioned, data) && data.version !== 1)
    return `it is of version ${data.version}, and this nopage knows version 1`;
  const place = v.getDotPath(issue) ?? "its top";
  if (issue.received === "undefined") return `at ${place} there is nothing, where a value must be given`;
  return `at ${place} there is ${foundInWords(issue)}; expected ${expectedInWords(issue)}`;
}

const types: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  array: "a list",
  object: "an object",
  record: "an object",
  integer: "a whole number",
};

function foundInWords({ type, received }: v.BaseIssue<unknown>): string {
  if (type === "min_length") return `a list of ${received}`;
  return types[received.toLowerCase()] ?? received;
}

function expectedInWords({ type, expected }: v.BaseIssue<unknown>): string {
  const least = /^>=(.*)$/.exec(expected ?? "")?.[1];
  if (type === "min_length") return `${least} or more in it`;
  if (type === "min_value") return `a number from ${least} on`;
  if (type === "regex") return `what fits ${expected}`;
  return types[type] ?? `one of ${(expected ?? "").replace(/^\((.*)\)$/, "$1").replaceAll(" | ", ", ")}`;
}
