import type { Geometry } from "@nopage/core";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { Stage } from "../law.ts";

/** The longest leaf that is tried, in pages: 4 MiB of i386. The 512 MiB of arm64-64k would take longer than they tell. */
export const MOST_PAGES = 1024;

/** A multiple of every leaf that is tried. */
export const LEAF_ADDRESS = 0x2000_0000;

/** Pages of the machine's smallest large leaf; undefined where there is none that can be tried. */
export function leafPages({ leafLevels, bitsPerLevel }: Geometry): number | undefined {
  if (!leafLevels.includes(1)) return undefined;
  const pages = 2 ** (bitsPerLevel[0] ?? 0);
  return pages <= MOST_PAGES ? pages : undefined;
}

/** Why a law about large leaves does not apply to a machine. */
export function hasNoLeaf({ tried }: Stage): string | undefined {
  return tried === undefined || leafPages(tried.geometry) === undefined
    ? "the machine has no large leaf of a size that can be tried"
    : undefined;
}

/** Pages of a large leaf, for a stage that has one. */
export function leafOf({ tried }: Stage): number {
  const pages = tried === undefined ? undefined : leafPages(tried.geometry);
  if (pages === undefined) throw new Error("the machine has no large leaf");
  return pages;
}

/** The level of the entry over an address: 0 for a single page, or for none. */
export function levelAt(address: number): Steps<number> {
  return user.kernel(function* ({ thread: { mm } }) {
    mm.table.find(Math.floor(address / mm.pageSize));
    return mm.table.level;
  });
}
