import { isError, isTrap, type SmapsArea, type Trap } from "@nopage/core";
import { inWords } from "../program/expect.ts";
import { type RandomStep, WINDOW_PAGES, WINDOW_START } from "./random-step.ts";

/** Of the letters of VmFlags, those that say what a program asked for, and not how a kernel keeps its books. */
const ASKED_FOR = ["rd", "wr", "ex", "sh", "mr", "mw", "me", "ms", "pf", "io", "lo", "dc", "de", "dd"];

/** What one step came to. */
export interface StepOutcome {
  /** Which step, by where it stands: `2`, or `2.0` for the first of a child that step 2 forked. */
  readonly place: string;
  readonly step: RandomStep;
  /** A result, a trap or an errno in words; addresses are told by their place in the window. */
  readonly outcome: string;
}

/** Whether an address is of the window, or of what reaches past its end. */
function isNearWindow(address: number, pageSize: number): boolean {
  return address >= WINDOW_START && address < WINDOW_START + 2 * WINDOW_PAGES * pageSize;
}

/** An address by the page of the window that it is, an errno by its name; where else a kernel puts things is its affair. */
export function placeInWords(result: number, pageSize: number): string {
  if (isError(result)) return inWords(result);
  return isNearWindow(result, pageSize) ? `page ${(result - WINDOW_START) / pageSize}` : "elsewhere";
}

/** What an access came to; a trap behind the byte that it begins with says how far behind. */
export function accessInWords(seen: unknown, address: number): string {
  if (!isTrap(seen)) return inWords(seen);
  const trap: Trap = seen;
  const on = trap.address - address;
  return on === 0 ? inWords(trap) : `${inWords(trap)}, ${on} bytes on`;
}

/** Bytes by how many they are and what they add up to. */
export function bytesInWords(bytes: Uint8Array): string {
  return `${bytes.length} bytes, in sum ${bytes.reduce((sum, byte) => sum + byte, 0)}`;
}

/** For each page whether it is in memory: `1` or `0`. */
export function pagesInWords(pages: readonly boolean[] | number): string {
  return typeof pages === "number" ? inWords(pages) : `in memory: ${pages.map(Number).join("")}`;
}

/** The areas of the window, lowest first. */
export function areasInWords(areas: readonly SmapsArea[], pageSize: number): readonly string[] {
  return areas
    .filter(({ start, end }) => end > WINDOW_START && start < WINDOW_START + 2 * WINDOW_PAGES * pageSize)
    .map((area) => areaInWords(area, pageSize));
}

function areaInWords(
  { start, end, shared, name, pgoff, flags, rss, anonymous }: SmapsArea,
  pageSize: number,
): string {
  const page = (address: number) => (address - WINDOW_START) / pageSize;
  // A private area of bare frames counts its pages by them, wherever they are (`remap_pfn_range`).
  const hasPlace = name !== "" && (shared || !flags.includes("pf"));
  const from = hasPlace ? ` from ${pgoff}` : "";
  const asked = flags.filter((flag) => ASKED_FOR.includes(flag)).join(" ");
  const counted = `${rss} counted, ${anonymous} of its own`;
  return `[${page(start)}, ${page(end)}) ${shared ? "shared" : "private"}${from}: ${asked}; ${counted}`;
}
