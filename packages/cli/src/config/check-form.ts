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
  const section = showPath(keys.slice(0, -1));
  const key = String(keys.at(-1));
  const known = knownKeys.get(section) ?? [];
  const nearest = nearestName(key, known);
  const home = nearest === undefined ? whereItBelongs(section, key) : undefined;
  return {
    path: showPath(keys),
    value,
    expected: `another key: ${anyOf(known)}${home === undefined ? "" : `; ${home.hint}`}`,
    nearest: nearest ?? home?.path,
  };
}

/** Where a key is known that stands in the wrong place. */
function whereItBelongs(section: string, key: string) {
  for (const [other, keys] of knownKeys) {
    if (!keys.includes(key)) continue;
    const path = other === "" ? key : `${other}.${key}`;
    return { path, hint: `${key} belongs ${other === "" ? "at the top" : `under ${other}`}` };
  }
  // What a driver's options are called is known to the driver alone.
  if (section !== "device") return undefined;
  const path = `device.options.${key}`;
  return { path, hint: "what is for the driver itself belongs under device.options" };
}

/** A path as it is written in a program: `machine.cpus`, `plugins[1]`. */
function showPath(keys: readonly (string | number)[]): string {
  return keys.reduce<string>((path, key) => {
    if (typeof key === "number") return `${path}[${key}]`;
    return path === "" ? key : `${path}.${key}`;
  }, "");
}
