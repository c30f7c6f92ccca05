import { ENOMEM } from "../contract/errno.ts";
import type { Sleepable } from "../contract/execution.ts";
import { mergeRange } from "./merge.ts";
import { mayHaveMoreAreas } from "./munmap.ts";
import { splitArea } from "./split.ts";
import type { Vma } from "./vma.ts";

/**
 * Gives `[start, end)` of one area other flags: together with its neighbours if they have them already, otherwise as an
 * area of its own. The mmap lock is held for writing.
 *
 * @returns the area that holds the range now and may reach further; or a negated errno: -ENOMEM, the driver's veto
 */
export function* changeAreaFlags(
  area: Vma,
  start: number,
  end: number,
  flags: number,
): Sleepable<Vma | number> {
  const { mm, file, lineage } = area;
  const range = { start, end, flags, file, pgoff: area.pgoffOf(start), lineage };
  const merged = yield* mergeRange(mm, range);
  if (merged !== undefined) return merged;
  const part = yield* isolate(area, start, end);
  if (typeof part !== "number") part.flags = flags;
  return part;
}

/**
 * Makes `[start, end)` of an area an area of its own and answers with it, or with a negated errno. The part keeps the
 * original object; what is cut off below and above are the new areas.
 */
function* isolate(area: Vma, start: number, end: number): Sleepable<Vma | number> {
  for (const [address, half] of [
    [start, "below"],
    [end, "above"],
  ] as const) {
    if (address === area.start || address === area.end) continue;
    if (!mayHaveMoreAreas(area.mm)) return -ENOMEM;
    const cutOff = yield* splitArea(area, address, half);
    if (typeof cutOff === "number") return cutOff;
  }
  return area;
}
