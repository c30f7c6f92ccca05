/** On the way into a value: what is above, and how one comes from each to the next. */
interface Way {
  readonly above: object[];
  readonly places: (string | number)[];
}

/**
 * A text for a value, equal for values that are the same and for no others: keys of objects, entries of maps and members of sets
 * have no order; `-0`, `NaN` and `undefined` are what they are. What JSON can say is as in JSON.
 *
 * Known are primitive values but symbols, arrays, plain objects, maps, sets, dates, errors, and arrays and buffers of bytes and numbers.
 *
 * @param name what the value is called in errors
 * @throws TypeError for a value that is none of these, or contains itself, with its place
 */
export function canonicalText(value: unknown, name: string): string {
  const numbers = Array.isArray(value) ? numbersText(value) : undefined;
  if (numbers !== undefined) return numbers;
  const way: Way = { above: [], places: [name] };
  try {
    return textOf(value, way);
  } catch (failure) {
    if (!(failure instanceof NotKnown)) throw failure;
    const path = way.places.map((place) => (typeof place === "number" ? `[${place}]` : place)).join("");
    throw new TypeError(
      `${path} is ${failure.what}; expected plain data: numbers, texts, booleans, bigints, null, undefined, or arrays, objects, maps and sets of these`,
    );
  }
}

/** What a value is that is not known, at the end of the way. */
class NotKnown {
  readonly what: string;

  constructor(what: string) {
    this.what = what;
  }
}

function textOf(value: unknown, way: Way): string {
  switch (typeof value) {
    case "object":
      return value === null ? "null" : objectText(value, way);
    case "string":
      return JSON.stringify(value);
    case "bigint":
      return `${value}n`;
    case "number":
      return Object.is(value, -0) ? "-0" : String(value);
    case "function":
    case "symbol":
      throw new NotKnown(`a ${typeof value}`);
    default:
      return String(value);
  }
}

function objectText(value: object, way: Way): string {
  if (way.above.includes(value)) throw new NotKnown("a part of itself");
  way.above.push(value);
  const text = Array.isArray(value)
    ? arrayText(value, way)
    : (knownText(value, way) ?? plainText(value, way));
  way.above.pop();
  return text;
}

/** The text of a part of what the way has come to. */
function partText(part: unknown, place: string | number, way: Way): string {
  // Most parts are numbers.
  if (typeof part === "number" && (part !== 0 || 1 / part > 0)) return String(part);
  way.places.push(place);
  const text = textOf(part, way);
  way.places.pop();
  return text;
}

function arrayText(value: readonly unknown[], way: Way): string {
  let text = "";
  let empty = 0;
  for (let at = 0; at < value.length; at++) {
    const part = value[at];
    if (at > 0) text += ",";
    if (part === undefined && !(at in value)) {
      empty++;
      text += "empty";
    } else text += partText(part, at, way);
  }
  if (Object.keys(value).length > value.length - empty)
    throw new NotKnown("an array with further properties");
  return `[${text}]`;
}

/** The text of an array of whole numbers, as most final states are; undefined for others. */
function numbersText(value: readonly unknown[]): string | undefined {
  for (const part of value) if (!Number.isInteger(part) || Object.is(part, -0)) return undefined;
  return Object.keys(value).length === value.length ? JSON.stringify(value) : undefined;
}

/** The text of an object of a class that is known; undefined for others. */
function knownText(value: object, way: Way): string | undefined {
  if (Object.getPrototypeOf(value) === Object.prototype) return undefined;
  if (value instanceof Map) {
    const entries = [...value].map(([key, one]) => {
      const name = partText(key, " (a key)", way);
      return `${name}=>${partText(one, `.get(${name})`, way)}`;
    });
    return `Map{${entries.sort().join(",")}}`;
  }
  if (value instanceof Set) {
    return `Set{${[...value]
      .map((one) => partText(one, " (a member)", way))
      .sort()
      .join(",")}}`;
  }
  if (value instanceof Date) return `Date(${value.getTime()})`;
  if (value instanceof Error) return `${value.name}(${JSON.stringify(value.message)})`;
  if (value instanceof ArrayBuffer) return `ArrayBuffer[${new Uint8Array(value).join(",")}]`;
  if (value instanceof DataView) {
    return `DataView[${new Uint8Array(value.buffer, value.byteOffset, value.byteLength).join(",")}]`;
  }
  if (!ArrayBuffer.isView(value)) return undefined;
  const numbers = [...(value as unknown as Iterable<unknown>)].map((one, at) => partText(one, at, way));
  return `${value.constructor.name}[${numbers.join(",")}]`;
}

function plainText(value: object, way: Way): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  // One of another realm is the root of its objects too.
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
  if (!isPlain) throw new NotKnown(`of class ${value.constructor.name}`);
  if (Object.getOwnPropertySymbols(value).length > 0) throw new NotKnown("an object with symbols for keys");
  const record = value as Readonly<Record<string, unknown>>;
  let text = "";
  for (const key of Object.keys(value).sort()) {
    const name = JSON.stringify(key);
    text += `${text === "" ? "" : ","}${name}:${partText(record[key], `[${name}]`, way)}`;
  }
  return `{${text}}`;
}
