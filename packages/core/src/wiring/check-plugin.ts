import { nearestName } from "./nearest.ts";
import type { PluginKind } from "./plugin-kind.ts";
import { showValue } from "./problem.ts";
import { isRecord } from "./shape.ts";

const kebabCase = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** Whether a name is fit for a plugin: lower-case words with hyphens between them. */
export function isPluginName(name: unknown): name is string {
  return typeof name === "string" && kebabCase.test(name);
}

/** What is wrong with the form of a plugin, a sentence each; nothing when it is fit to be registered. */
export function checkPlugin(plugin: Readonly<Record<string, unknown>>, kind: PluginKind): readonly string[] {
  const { name, supports } = plugin;
  const problems: string[] = [];
  if (!isPluginName(name)) {
    problems.push(`name is ${showValue(name)}; it must be in kebab-case, such as "lazy-nopage"`);
  }
  if (typeof plugin[kind.method] !== "function") {
    problems.push(`${kind.method} is ${showValue(plugin[kind.method])}; it must be a function`);
  }
  if (isRecord(supports)) problems.push(...supportsProblems(supports, kind));
  else {
    const fields = Object.keys(kind.supports).join(", ");
    problems.push(`supports is ${showValue(supports)}; it must be an object with the fields ${fields}`);
  }
  return problems;
}

function supportsProblems(supports: Readonly<Record<string, unknown>>, kind: PluginKind): readonly string[] {
  const fields = Object.entries(kind.supports);
  const missing = fields.filter(([field]) => supports[field] === undefined).map(([field]) => field);
  const wrong = fields.filter(
    ([field, shape]) => supports[field] !== undefined && !shape.accepts(supports[field]),
  );
  const strangers = Object.keys(supports).filter((field) => !Object.hasOwn(kind.supports, field));
  return [
    ...missing.map((field) => `supports.${field} is missing; it must be ${kind.supports[field]?.expected}`),
    ...wrong.map(([field, shape]) => {
      const nearest = shape.nearest(supports[field]);
      const choice = nearest === undefined ? "" : `; nearest choice: ${JSON.stringify(nearest)}`;
      return `supports.${field} is ${showValue(supports[field])}; it must be ${shape.expected}${choice}`;
    }),
    ...(missing.length + wrong.length > 0 ? [] : (kind.checkTogether?.(supports) ?? [])),
    ...strangers.map((field) => {
      // A misspelt field is missing under its right name; otherwise any field may have been meant.
      const known = missing.length > 0 ? missing : Object.keys(kind.supports);
      const nearest = nearestName(field, known);
      const choice =
        nearest === undefined
          ? `its fields are ${known.join(", ")}`
          : `nearest choice: ${JSON.stringify(nearest)}`;
      return `supports.${field} is no field of a ${kind.title}; ${choice}`;
    }),
  ];
}
