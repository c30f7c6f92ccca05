import { machineShape } from "@nopage/core/wiring";
import * as v from "valibot";

/** Every message of the schema is what was expected: the end of the sentence "found …; expected …". */
const name = v.pipe(v.string("a name, as text"), v.nonEmpty("a name that is not empty"));

const machineOptions = Object.fromEntries(
  Object.entries(machineShape)
    // Only programs can make these two.
    .filter(([option]) => option !== "chooser" && option !== "allocations")
    .map(([option, shape]) => [option, v.optional(v.custom(shape.accepts, shape.expected))]),
);

/** Seeds are int32. */
export const seedRange = "a whole number from -2147483648 to 2147483647";

const seed = v.pipe(
  v.number(seedRange),
  v.integer(seedRange),
  v.minValue(-(2 ** 31), seedRange),
  v.maxValue(2 ** 31 - 1, seedRange),
);

/** An object with these keys and no other. A rest of `never` reports every unknown key; a strict object only the first. */
function section<E extends v.ObjectEntries>(entries: E, expected: string) {
  return v.pipe(isObject(expected), v.objectWithRest(entries, v.never(), expected));
}

/** For the library a list is an object too. */
function isObject(expected: string) {
  return v.custom<object>(
    (value) => typeof value === "object" && value !== null && !Array.isArray(value),
    expected,
  );
}

const moduleName = v.pipe(
  v.string("the name of a package or a path"),
  v.nonEmpty("the name of a package or a path"),
);

const recording = v.pipe(v.string("the path of a recording"), v.nonEmpty("the path of a recording"));

/** Whether it is an object with this one key. */
function isKeyed(value: unknown, key: string): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).join() === key;
}

const entries = {
  strategy: v.optional(name),
  pinning: v.optional(name),
  device: v.optional(
    section(
      { name, options: v.optional(isObject("an object with the driver's options")) },
      'an object such as { name: "highway" }',
    ),
  ),
  machine: v.optional(section(machineOptions, "an object with options of the machine")),
  chooser: v.optional(
    v.lazy((value) => {
      if (isKeyed(value, "random")) return v.strictObject({ random: seed });
      if (isKeyed(value, "replay")) return v.strictObject({ replay: recording });
      return v.literal(
        "run-to-block",
        '"run-to-block", or an object such as { random: 7 } or { replay: "FILE" }',
      );
    }),
  ),
  signal: v.optional(name),
  plugins: v.optional(v.array(moduleName, "a list of package names and paths")),
};

/** The form of a configuration; what the names in it mean is checked against the plugins. */
export const configSchema = section(entries, "an object with settings");

/** The keys that are known at the top and in the objects below it. */
export const knownKeys: ReadonlyMap<string, readonly string[]> = new Map([
  ["", Object.keys(entries)],
  ["device", ["name", "options"]],
  ["machine", Object.keys(machineOptions)],
  ["chooser", ["random", "replay"]],
]);
