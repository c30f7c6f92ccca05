import type { Advice, OpenMode } from "@nopage/core";

/**
 * Pages of the window in which a random program maps, moves and touches memory; all positions are pages of it. What begins
 * in it may reach past its end.
 */
export const WINDOW_PAGES = 24;

/** Where the window begins, in bytes: far from everything that a kernel puts anywhere by itself. */
export const WINDOW_START = 0x3000_0000;

/** A range of pages of the window, `[at, at + pages)`. */
export interface Range {
  readonly at: number;
  readonly pages: number;
}

/** What is mapped: the subject that is tried, memory of nobody else, or a file in memory. */
export type MappedThing = "object" | "anonymous" | "file";

/** One step of a random program, as plain data. */
export type RandomStep =
  | ({
      readonly step: "map";
      readonly thing: MappedThing;
      /** The thing's page that the mapping begins with. */
      readonly first: number;
      readonly protection: number;
      readonly sharing: "shared" | "private";
      readonly populating: "on-demand" | "populate";
    } & Range)
  /** The object, opened in one way, and mapped by a length that need not be whole pages, in bytes. */
  | {
      readonly step: "map-opened";
      readonly at: number;
      readonly mode: OpenMode;
      readonly first: number;
      readonly length: number;
      readonly protection: number;
      readonly sharing: "shared" | "private";
    }
  /** A command that no device knows. */
  | { readonly step: "command" }
  /** `mmap` of anonymous memory by a length that need not be whole pages, at an address that need not begin one; in bytes. */
  | {
      readonly step: "map-oddly";
      readonly at: number;
      readonly skew: number;
      readonly length: number;
      readonly placement: "fixed" | "fixed-noreplace";
    }
  | ({ readonly step: "unmap" } & Range)
  | { readonly step: "unmap-oddly"; readonly at: number; readonly skew: number; readonly length: number }
  | ({ readonly step: "protect"; readonly protection: number } & Range)
  | ({ readonly step: "advise"; readonly advice: Advice } & Range)
  | ({ readonly step: "lock" } & Range)
  | ({ readonly step: "unlock" } & Range)
  | ({ readonly step: "sync"; readonly others: "keep" | "invalidate" } & Range)
  /** `mremap` in place. */
  | ({ readonly step: "resize"; readonly to: number } & Range)
  /** `mremap` with MREMAP_FIXED, and perhaps MREMAP_DONTUNMAP. */
  | ({
      readonly step: "move";
      readonly to: number;
      readonly newPages: number;
      readonly oldRange: "unmap" | "keep";
    } & Range)
  /** `ftruncate` of the file. */
  | { readonly step: "truncate"; readonly pages: number }
  | { readonly step: "load"; readonly at: number }
  | { readonly step: "store"; readonly at: number; readonly value: number }
  /** The subject's accessor, which may be a device. */
  | { readonly step: "reach"; readonly at: number }
  | { readonly step: "put"; readonly at: number; readonly value: number }
  /** A device holds the pages for a while, and reads and writes the first. */
  | ({ readonly step: "pin"; readonly access: "read" | "write" } & Range)
  | { readonly step: "revoke" }
  /** A child does some steps, while its parent waits for it or goes on. */
  | {
      readonly step: "fork";
      readonly steps: readonly RandomStep[];
      readonly parent: "waits" | "goes-on";
      readonly end: "returns" | "exits" | "is-killed";
    };

/** A program of threads that share one address space; the first is the one that starts the others. */
export interface RandomProgram {
  readonly threads: readonly (readonly RandomStep[])[];
}
