import type { Stock } from "./stock.ts";

/** One thing that was taken and not given back. */
export interface Leak {
  /** What it is, in words: `frames`, `page tables`, `open files`… */
  readonly what: string;
  /** Whose it is or what it is called; empty where that says nothing. */
  readonly of: string;
  readonly count: number;
}

const titles = {
  frames: "frames",
  pageTables: "page tables",
  openFiles: "open files",
  addressSpaces: "address spaces",
  moduleUses: "module uses",
  modules: "modules",
  devices: "device names",
  pciFunctions: "PCI functions",
} satisfies Record<keyof Stock, string>;

/** What there is more of in `after` than in `before`. */
export function findLeaks(before: Stock, after: Stock): readonly Leak[] {
  const leaks: Leak[] = [];
  for (const key of Object.keys(titles) as (keyof Stock)[]) {
    const had = asCounts(before[key]);
    for (const [of, count] of asCounts(after[key])) {
      const more = count - (had.get(of) ?? 0);
      if (more > 0) leaks.push({ what: titles[key], of, count: more });
    }
  }
  return leaks;
}

/** A leak in words: `3 frames (driver)`. */
export function describeLeak({ what, of, count }: Leak): string {
  const noun = count === 1 ? what.replace(/ies$/, "y").replace(/s$/, "") : what;
  return of === "" ? `${count} ${noun}` : `${count} ${noun} (${of})`;
}

function asCounts(counts: ReadonlyMap<string, number> | number): ReadonlyMap<string, number> {
  return typeof counts === "number" ? new Map([["", counts]]) : counts;
}
