import { anyOf, machineShape, nearestName, type Problem } from "@nopage/core/wiring";
import * as v from "valibot";
import { configSchema, knownKeys } from "./config-schema.ts";

/** Everything that is wrong with the form of a configuration. */
export function checkForm(config: unknown): readonly Problem[] {
  const { issues = [] } = v.safeParse(configSchema, config);
  return issues.map((issue) => {
    const keys = (issue.path ?? []).map((item) => item.key as string | number);
    if (issue.type === "never") return unknownKey(keys, issue.input);
    // A key that is missing is reported on the object that should have it.
    const isMissing = issue.path?.at(-1)?.origin === "key";
    return isMissing ? missingKey(keys) : misfit(keys, issue);
  });
}

function misfit(keys: readonly (string | number)[], issue: v.BaseIssue<unknown>): Problem {
  const [parent, option] = keys;
  const shape = parent === "machine" ? machineShape[option as keyof typeof machineShape] : undefined;
  return {
    path: showPath(keys),
    value: issue.input,
    expected: issue.message,
    nearest: shape?.nearest(issue.input),
  };
}

function missingKey(keys: readonly (string | number)[]): Problem {
  return {
    path: showPath(keys),
    value: undefined,
    expected: "a value; it must be given",
    nearest: undefined,
  };
}

function unknownKey(keys: readonly (string | number)[], value: unknown): Problem {
  const known = knownKeys.get(showPath(keys.slice(0, -1))) ?? [];
  return {
    path: showPath(keys),
    value,
    expected: `another key: ${anyOf(known)}`,
    nearest: nearestName(String(keys.at(-1)), known),
  };
}

/** A path as it is written in a program: `machine.cpus`, `plugins[1]`. */
function showPath(keys: readonly (string | number)[]): string {
  return keys.reduce<string>((path, key) => {
    if (typeof key === "number") return `${path}[${key}]`;
    return path === "" ? key : `${path}.${key}`;
  }, "");
}
