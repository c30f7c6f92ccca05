import { VM_SPECIAL } from "../contract/area-flags.ts";
import type { Sleepable } from "../contract/execution.ts";
import type { OpenFile } from "../contract/file.ts";
import { forgetArea } from "./area-hooks.ts";
import type { Lineage } from "./lineage.ts";
import type { Mm } from "./mm.ts";
import type { Vma } from "./vma.ts";

/** A range of addresses as it is to be from now on: unmapped before, or part of one area with other flags. */
export interface Range {
  readonly start: number;
  readonly end: number;
  readonly flags: number;
  readonly file: OpenFile | undefined;
  /** The object's page at `start`. */
  readonly pgoff: number;
  readonly lineage: Lineage | undefined;
}

/** The areas that a range becomes one with. */
interface Neighbours {
  readonly below: Vma | undefined;
  readonly above: Vma | undefined;
}

/**
 * Makes a range one with the areas next to it where nothing tells them apart (`vma_merge`, mm/mmap.c, 6.1): the same
 * flags, the same open file, pages that go on, private pages of one lineage, no flag of VM_SPECIAL, and no `close` hook
 * of a neighbour (LC-11). The driver is not asked. The area below keeps its object before the one above; an area that is
 * used up gives its reference on the file back. The mmap lock is held for writing.
 *
 * Linux looks for `close` at the neighbours only (`is_mergeable_vma`), never at the area that the range is part of. Where
 * that one alone of its file has the hook, it is used up and the hook never runs: 6.1 counts on all areas of a file to
 * be alike in this (mended in 6.12, which keeps it apart).
 *
 * @returns the area that holds the range now, its totals not charged yet; or undefined with nothing changed
 */
export function* mergeRange(mm: Mm, range: Range): Sleepable<Vma | undefined> {
  const { below, above } = fittingNeighbours(mm, range, range.lineage);
  if (below === undefined || above === undefined) return yield* join(mm, range, { below, above });
  const isOneKind =
    below.lineage === undefined || above.lineage === undefined || below.lineage === above.lineage;
  return yield* join(mm, range, { below, above: isOneKind ? above : undefined });
}

/** The same for a new mapping (`mmap_region`), which prefers the area above where only one of the two can have it. */
export function* mergeNewRange(mm: Mm, range: Range): Sleepable<Vma | undefined> {
  const { above } = fittingNeighbours(mm, range, undefined);
  const { below } = fittingNeighbours(mm, range, above?.lineage);
  return yield* join(mm, range, { below, above });
}

function fittingNeighbours(mm: Mm, range: Range, lineage: Lineage | undefined): Neighbours {
  const none = { below: undefined, above: undefined };
  if ((range.flags & VM_SPECIAL) !== 0) return none;
  const { start, end, pgoff } = range;
  const below = mm.areas.find(start - 1);
  const above = mm.areas.find(end);
  const pages = (end - start) * mm.perPage;
  const fitsBelow = below?.end === start && below.pgoff + below.pages === pgoff;
  const fitsAbove = above?.start === end && above.pgoff === pgoff + pages;
  return {
    below: fitsBelow && isAlike(below, range, lineage) ? below : undefined,
    above: fitsAbove && isAlike(above, range, lineage) ? above : undefined,
  };
}

/** `is_mergeable_vma` and `is_mergeable_anon_vma`. */
function isAlike(area: Vma, range: Range, lineage: Lineage | undefined): boolean {
  if (area.flags !== range.flags || area.file !== range.file || area.ops?.close !== undefined) return false;
  return area.lineage === lineage || (lineage === undefined && area.lineage?.descent === "own");
}

/** Gives the range to its neighbours, and takes it from the area that had it (`__vma_adjust`). */
function* join(mm: Mm, range: Range, { below, above }: Neighbours): Sleepable<Vma | undefined> {
  const survivor = below ?? above;
  if (survivor === undefined) return undefined;
  const start = below === undefined ? range.start : below.start;
  const end = above === undefined ? range.end : above.end;
  const inside = mm.areas.find(range.start);
  const isUsedUp = inside?.start === range.start && inside.end === range.end;
  const absorbed: Vma[] = [];
  if (inside !== undefined && isUsedUp) absorbed.push(inside);
  if (above !== undefined && above !== survivor) absorbed.push(above);
  const rest = isUsedUp ? undefined : inside;

  const { mapping } = survivor;
  if (mapping !== undefined) yield* mapping.lock.write();
  for (const area of absorbed) {
    mapping?.unlink(area);
    mm.areas.remove(area);
    survivor.lineage ??= area.lineage;
  }
  if (rest !== undefined) {
    mapping?.unlink(rest);
    if (rest.start === range.start) mm.areas.resize(rest, range.end, rest.end, rest.pgoffOf(range.end));
    else mm.areas.resize(rest, rest.start, range.start, rest.pgoff);
    mapping?.link(rest);
  }
  mapping?.unlink(survivor);
  mm.areas.resize(survivor, start, end, survivor.pgoffOf(start));
  mapping?.link(survivor);
  mapping?.lock.unlockWrite();
  for (const area of absorbed) yield* forgetArea(area);
  return survivor;
}
