import type { Backing } from "../contract/backing.ts";
import type { Sleepable } from "../contract/execution.ts";
import type { AddressSpace } from "./address-space.ts";
import type { Vma } from "./vma.ts";
import { type ZapReach, zapRange } from "./zap.ts";

/**
 * Removes every entry that shows object pages `[first, first + pages)`, in every area of every process
 * (`unmap_mapping_range`; `pages` 0 means to the end). It walks the address space it is given and no other (RV-06),
 * by the areas' pgoff (RV-08), and does not keep new faults away: close a gate first.
 */
export function* unmapMappingRange(
  mapping: AddressSpace,
  first: number,
  pages: number,
  reach: ZapReach,
): Sleepable<void> {
  const count = pages === 0 ? Number.MAX_SAFE_INTEGER - first : pages;
  yield* mapping.lock.read();
  const areas = mapping.areasShowing(first, count);
  for (const area of areas) {
    const from = Math.max(area.start, area.addressOf(first));
    const to = Math.min(area.end, area.addressOf(first + count));
    yield* zapRange(area, from, to, reach, "clear");
  }
  const machine = areas[0]?.mm.machine;
  machine?.log.record("unmap-mapping-range", first, pages, areas.length);
  mapping.lock.unlockRead();
}

/**
 * Removes what areas show of one backing, from its page `first` on, and nothing else that hangs on the same inode: a
 * device may show several kinds of memory there, each with a gate of its own.
 *
 * A private remap, which is numbered by frames (RE-03), is found by the page of the object that it showed. Linux searches
 * by the number that stands in `vm_pgoff` alone, so that there a shrinking that reaches to the end takes the whole of
 * such an area, private copies before the new end included; taking those past it is what it means to do (TR-02).
 */
export function* unmapBacking(backing: Backing, first: number, reach: ZapReach): Sleepable<void> {
  const { mapping } = backing;
  yield* mapping.lock.read();
  const areas = mapping.areasShowing(0, Number.MAX_SAFE_INTEGER).filter((area) => area.backing === backing);
  for (const area of areas) {
    const from = first === 0 ? area.start : Math.max(area.start, area.addressOf(area.numbering + first));
    if (from < area.end) yield* zapRange(area, from, area.end, reach, "clear");
  }
  areas[0]?.mm.machine.log.record("unmap-mapping-range", first, backing.pages, areas.length);
  mapping.lock.unlockRead();
}

/**
 * Visits every area that shows the object, each with its mm's lock held for reading, so that its entries may be
 * filled. The locks nest mmap lock outside, reverse map inside; so each mm is kept by a reference while the reverse
 * map's lock is dropped, and the area is looked up again before it is visited.
 *
 * An area that fork, split or mremap makes meanwhile got the entries of one that was not visited yet, and one that was
 * visited may take in a neighbour that was not (`vma_merge`). So the range is remembered that each area had when it was
 * visited, and the reverse map is walked until no area reaches beyond it; an area that grew is visited once more, whole.
 *
 * @throws the first thing that `visit` threw, after all other areas were visited too and every lock given back
 */
export function* forEachArea(mapping: AddressSpace, visit: (area: Vma) => Sleepable<void>): Sleepable<void> {
  const visited = new Map<Vma, VisitedRange>();
  const thrown: unknown[] = [];
  for (;;) {
    yield* mapping.lock.read();
    const found = mapping.areasShowing(0, Number.MAX_SAFE_INTEGER).filter((area) => !isWithin(area, visited));
    const candidates = found.filter((area) => area.mm.tryUse());
    mapping.lock.unlockRead();
    if (found.length === 0) break;
    for (const area of found) visited.set(area, rangeOf(area));
    for (const area of candidates) {
      const { mm } = area;
      yield* mm.lock.read();
      visited.set(area, rangeOf(area));
      try {
        if (area.isLinked && area.mapping === mapping) yield* visit(area);
      } catch (cause) {
        thrown.push(cause);
      }
      mm.lock.unlockRead();
      yield* mm.machine.dropMm(mm);
    }
  }
  if (thrown.length > 0) throw thrown[0];
}

/** The addresses that an area had when it was visited: `[start, end)`. */
interface VisitedRange {
  readonly start: number;
  readonly end: number;
}

function rangeOf({ start, end }: Vma): VisitedRange {
  return { start, end };
}

/** Whether all that an area shows by now was visited; what a shrunk area has left was. */
function isWithin(area: Vma, visited: ReadonlyMap<Vma, VisitedRange>): boolean {
  const range = visited.get(area);
  return range !== undefined && range.start <= area.start && area.end <= range.end;
}
