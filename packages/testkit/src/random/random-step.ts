import type { Advice, OpenMode } from "@nopage/core";

/**
 * Pages of the window in which a random program maps, moves and touches memory; all positions are pages of it. What begins
 * in it may reach past its end.
 */
export const WINDOW_PAGES = 24;

/** Where the window begins, in bytes: far from everything that a kernel puts anywhere by itself. */
export const WINDOW_START = 0x3000_0000;

/** A range that begins in the window: the pages `[at, at + pages)`, unless it says otherwise in bytes. */
export interface Range {
  readonly at: number;
  readonly pages: number;
  /** Bytes behind the beginning of page `at` with which it begins; 0 where left out. */
  readonly skew?: number;
  /** Its length in bytes, whatever `pages` says: perhaps none, not whole pages, or more than there are addresses. */
  readonly bytes?: number;
}

/** Bytes that begin in the window and may be spread over several pages. */
export interface Bytes {
  readonly at: number;
  readonly skew: number;
  readonly bytes: number;
}

/** What is mapped: the subject that is tried, memory of nobody else, or a file in memory. */
export type MappedThing = "object" | "anonymous" | "file";

/** Who touches what the gate has been closed to: a thread of the process, a child, or a child that is killed meanwhile. */
export type Toucher = "thread" | "child" | "killed-child";

/** Bytes of a single access. */
export type AccessWidth = 1 | 2 | 4 | 8;

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
  /** `mmap` with all that it can be asked for; the object is opened for it, and its descriptor closed. */
  | ({
      readonly step: "map-oddly";
      readonly thing: MappedThing;
      /** How the object is opened. */
      readonly mode: OpenMode;
      readonly first: number;
      /** Bytes behind the beginning of page `first` at which the mapping is to begin: refused but for 0. */
      readonly offset: number;
      readonly protection: number;
      readonly sharing: "shared" | "private";
      readonly placement: "fixed" | "fixed-noreplace" | "hint";
      readonly locking: "unlocked" | "locked";
      readonly populating: "on-demand" | "populate";
    } & Range)
  /** A command that no device knows. */
  | { readonly step: "command" }
  | ({ readonly step: "unmap" } & Range)
  | ({ readonly step: "protect"; readonly protection: number } & Range)
  | ({ readonly step: "advise"; readonly advice: Advice } & Range)
  | ({ readonly step: "lock" } & Range)
  | ({ readonly step: "unlock" } & Range)
  | ({
      readonly step: "sync";
      readonly writing?: "async" | "sync";
      readonly others: "keep" | "invalidate";
    } & Range)
  /** `mincore`. */
  | ({ readonly step: "look" } & Range)
  /** `mremap` in place, or to wherever the kernel likes. */
  | ({
      readonly step: "resize";
      readonly to: number;
      /** The new length in bytes, whatever `to` says. */
      readonly newBytes?: number;
      readonly moving?: "in-place" | "may-move";
      readonly oldRange?: "unmap" | "keep";
    } & Range)
  /** `mremap` with MREMAP_FIXED, and perhaps MREMAP_DONTUNMAP. */
  | ({
      readonly step: "move";
      readonly to: number;
      /** Bytes behind the beginning of page `to` to which it goes; 0 where left out. */
      readonly toSkew?: number;
      readonly newPages: number;
      readonly newBytes?: number;
      readonly oldRange: "unmap" | "keep";
    } & Range)
  /** `ftruncate` of the file, to pages and bytes besides. */
  | { readonly step: "truncate"; readonly pages: number; readonly more?: number }
  | { readonly step: "load"; readonly at: number; readonly skew?: number; readonly width?: AccessWidth }
  | {
      readonly step: "store";
      readonly at: number;
      readonly value: number;
      readonly skew?: number;
      readonly width?: AccessWidth;
    }
  /** `process_vm_readv` of the process's own memory. */
  | ({ readonly step: "copy" } & Bytes)
  /** Reading /proc/self/mem, as a debugger does, whatever the protection. */
  | ({ readonly step: "read-mem" } & Bytes)
  /** Writing there. */
  | ({ readonly step: "write-mem"; readonly value: number } & Bytes)
  /** The subject's accessor, which may be a device. */
  | { readonly step: "reach"; readonly at: number }
  | { readonly step: "put"; readonly at: number; readonly value: number }
  /** A device holds the pages for a while, and reads and writes the first. */
  | ({ readonly step: "pin"; readonly access: "read" | "write" } & Range)
  | { readonly step: "revoke" }
  /**
   * The gate is closed; somebody does steps that may have to wait for it; meanwhile the program does some that need not; then
   * the gate is opened, or whoever waits is killed first.
   */
  | {
      readonly step: "while-revoked";
      readonly who: Toucher;
      readonly steps: readonly RandomStep[];
      readonly meanwhile: readonly RandomStep[];
    }
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
