/** A stretch of virtual time in the unit that suits it: `850 ns`, `12.4 µs`, `1.99 ms`, `2.5 s`. */
export function showTime(ns: number): string {
  const units: readonly (readonly [number, string])[] = [
    [1e9, "s"],
    [1e6, "ms"],
    [1e3, "µs"],
  ];
  for (const [size, unit] of units) if (ns >= size) return `${Number((ns / size).toPrecision(3))} ${unit}`;
  return `${ns} ns`;
}

/** A count with its noun: `1 byte`, `2 bytes`, `131,072 bytes`. */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString("en-US")} ${noun}${number === 1 ? "" : "s"}`;
}

/** A number that is not known exactly, by its first two digits: `1,200`, `340,000`. */
export function rounded(number: number): string {
  return Number(number.toPrecision(2)).toLocaleString("en-US");
}

/** Names as a sentence has them: `a`, `a and b`, `a, b and c`. */
export function andList(names: readonly string[]): string {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
