import type { Machine } from "@nopage/core";

/** What a machine holds that somebody has to give back. */
export interface Stock {
  readonly freeFrames: number;
  /** References of all pages: one too many on a page of a driver keeps nothing from being free as long as that has it. */
  readonly references: number;
  /** Pins of all pages. */
  readonly pins: number;
  readonly pageTables: number;
  readonly openFiles: number;
  readonly addressSpaces: number;
  /** Users of all modules. */
  readonly moduleUses: number;
}

/** What is counted, in the order in which leaks are told. */
export const stocked: readonly (keyof Stock)[] = [
  "freeFrames",
  "references",
  "pins",
  "pageTables",
  "openFiles",
  "addressSpaces",
  "moduleUses",
];

/** Counts what a machine holds now: before and after a program the counts must be the same. */
export function takeStock({ memory, tables, devices, mms }: Machine): Stock {
  return {
    freeFrames: memory.freeFrames,
    references: sum(memory.frames.refcount),
    pins: sum(memory.frames.pincount),
    pageTables: tables.tablesInUse,
    openFiles: devices.openFiles.size,
    addressSpaces: mms.size,
    moduleUses: devices.modules.reduce((sum, { uses }) => sum + uses, 0),
  };
}

function sum(counts: Int32Array): number {
  let total = 0;
  for (let at = 0; at < counts.length; at++) total += counts[at] as number;
  return total;
}
