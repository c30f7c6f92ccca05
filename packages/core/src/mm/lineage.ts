import { VM_ACCESS_FLAGS } from "../contract/area-flags.ts";
import type { Vma } from "./vma.ts";

/**
 * Whose private pages an area holds (`struct anon_vma`): pieces of one area have the same, and areas with different ones
 * are never made one. `inherited` is that of a child, which hangs on its parent's as well.
 */
export class Lineage {
  readonly descent: "own" | "inherited";

  constructor(descent: "own" | "inherited") {
    this.descent = descent;
  }
}

/**
 * The lineage for an area that gets its first private page (`anon_vma_prepare`): that of a neighbour with which it could
 * be one area but for the protection (`find_mergeable_anon_vma`, the one above first), or a new one.
 */
export function lineageFor(area: Vma): Lineage {
  const { areas } = area.mm;
  const above = areas.find(area.end);
  if (above?.lineage?.descent === "own" && isContinuedBy(area, above)) return above.lineage;
  const below = areas.find(area.start - 1);
  if (below?.lineage?.descent === "own" && isContinuedBy(below, area)) return below.lineage;
  return new Lineage("own");
}

/** Whether two areas differ in nothing that mprotect could not change (`anon_vma_compatible`). */
function isContinuedBy(below: Vma, above: Vma): boolean {
  if (below.end !== above.start || below.file !== above.file) return false;
  if (((below.flags ^ above.flags) & ~VM_ACCESS_FLAGS) !== 0) return false;
  return below.pgoff + below.pages === above.pgoff;
}
