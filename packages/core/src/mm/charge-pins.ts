import { ENOMEM } from "../contract/errno.ts";
import type { Atomic } from "../contract/execution.ts";
import { Access, ObjectKind } from "../sched/points.ts";
import type { Mm } from "./mm.ts";

/**
 * Charges pages that are held for a device (`mm->pinned_vm` under RLIMIT_MEMLOCK, as in `ib_umem_get`; RC-08). Whoever
 * pins does this: getUserPages itself does not (BUGS B54: where nobody does, a user can pin all of memory).
 *
 * @returns 0, or -ENOMEM and nothing charged
 */
export function* chargePins(mm: Mm, pages: number): Atomic<number> {
  const { sched, settings } = mm.machine;
  if (sched.interleaving) yield sched.at(ObjectKind.cell, mm.pinnedCell, Access.write);
  if (mm.pinnedPages + pages > settings.lockLimitPages) return -ENOMEM;
  mm.pinnedPages += pages;
  return 0;
}

/** Takes a charge back; the process may be gone. */
export function* unchargePins(mm: Mm, pages: number): Atomic<void> {
  const { sched } = mm.machine;
  if (sched.interleaving) yield sched.at(ObjectKind.cell, mm.pinnedCell, Access.write);
  mm.pinnedPages -= pages;
}
