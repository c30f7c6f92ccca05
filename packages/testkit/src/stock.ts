import type { Machine } from "@nopage/core";

/** What a machine holds that somebody has to give back. */
export interface Stock {
  readonly freeFrames: number;
  readonly pageTables: number;
  readonly openFiles: number;
  readonly addressSpaces: number;
  /** Users of all modules. */
  readonly moduleUses: number;
}

/** Counts what a machine holds now: before and after a program the counts must be the same. */
export function takeStock({ memory, tables, devices, mms }: Machine): Stock {
  return {
    freeFrames: memory.freeFrames,
    pageTables: tables.tablesInUse,
    openFiles: devices.openFiles.size,
    addressSpaces: mms.size,
    moduleUses: devices.modules.reduce((sum, { uses }) => sum + uses, 0),
  };
}
