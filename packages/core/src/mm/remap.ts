import { isCopyOnWrite, VM_DONTDUMP, VM_DONTEXPAND, VM_IO, VM_PFNMAP } from "../contract/area-flags.ts";
import { EAGAIN, EINVAL, ENOMEM } from "../contract/errno.ts";
import type { Sleepable } from "../contract/execution.ts";
import type { Pfn } from "../contract/units.ts";
import { NO_TABLE_MEMORY } from "../mmu/page-table.ts";
import { makePte, PTE_LARGE, PTE_SPECIAL } from "../mmu/pte.ts";
import { Access } from "../sched/points.ts";
import { flushCachedFrame } from "./cache-flush.ts";
import { leafPoint } from "./entry-points.ts";
import type { Mm } from "./mm.ts";
import type { Vma } from "./vma.ts";
import { zapRange } from "./zap.ts";

/** What a remap makes of an area: RE-02. */
const REMAP_FLAGS = VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP;

/** What becomes of entries that are there. */
type Occupied = "must-be-empty" | "keep-present";

/** What `remapPfnRange` is to map: pages `[address, address + pages * pageSize)` to frames from `pfn` on. */
export interface RemapRequest {
  readonly address: number;
  readonly pfn: Pfn;
  readonly pages: number;
  /** Whether leaves above level 0 are used where both addresses and the length allow. Linux 6.1 never does here. */
  readonly leaves: "single" | "large";
}

/**
 * Maps a run of frames at once (`remap_pfn_range`; 2.0 to 2.4 `remap_page_range`): special entries that count
 * nothing. Marks the area VM_IO, VM_PFNMAP, VM_DONTEXPAND and VM_DONTDUMP (2.4 marked nothing). The mmap lock is held for
 * writing. If it fails half-way, all that it mapped is zapped first (RE-05). An entry that is present already is a
 * BUG in Linux: it is reported and left (RE-04).
 *
 * Where the area shows a backing, its gate is looked at in every page-table-lock section: the caller's frames are
 * good for as long as it stays as it was.
 *
 * @returns 0; -EINVAL for an unaligned address, a range outside the area, or part of a copy-on-write area; -ENOMEM;
 *   -EAGAIN when the gate is not open, or was closed meanwhile
 */
export function* remapPfnRange(area: Vma, request: RemapRequest): Sleepable<number> {
  const { mm } = area;
  const { address, pfn, pages } = request;
  const end = address + pages * mm.pageSize;
  if (address % mm.pageSize !== 0 || address < area.start || end > area.end || pages <= 0) return -EINVAL;
  const isPrivate = isCopyOnWrite(area.flags);
  if (isPrivate && (address !== area.start || end !== area.end)) return -EINVAL;
  if (!Number.isSafeInteger(pfn) || pfn < 0 || pfn + pages > mm.machine.pfnLimit) return -EINVAL;
  if ((area.flags & REMAP_FLAGS) !== REMAP_FLAGS && !mm.lock.isWrittenByCurrent) {
    mm.machine.violations.report(
      "area-rule",
      `a remap of ${area} changes its flags without the mmap lock held for writing`,
    );
  }
  area.flags |= REMAP_FLAGS;
  if (isPrivate) {
    area.numbering += pfn - area.pgoff;
    area.pgoff = pfn;
  }
  const result = yield* fillRun(area, request, "must-be-empty");
  if (result !== 0) yield* zapRange(area, address, end, "even-cows", "clear");
  return result;
}

/**
 * Maps again what a revocation took away: empty entries are filled, present ones stay. The area was prepared by
 * `remapPfnRange`; the mmap lock is held for reading. A partial result is left, as each entry in it is right.
 */
export function* remapMissing(area: Vma, request: RemapRequest): Sleepable<number> {
  return yield* fillRun(area, request, "keep-present");
}

function* fillRun(area: Vma, request: RemapRequest, occupied: Occupied): Sleepable<number> {
  const { mm } = area;
  const gate = area.backing?.gate;
  const sequence = gate?.sequence;
  const first = request.address * mm.perPage;
  const last = first + request.pages;
  const toPfn = request.pfn - first;
  const wantsLarge = request.leaves === "large" && mm.machine.reserved.rules === "6.1";
  let vpn = first;
  while (vpn < last) {
    yield* mm.pageTableLock.lock();
    if (gate !== undefined && ((yield* gate.look()) !== "open" || gate.sequence !== sequence)) {
      mm.pageTableLock.unlock();
      return -EAGAIN;
    }
    const level = wantsLarge ? largestLevel(area, vpn, vpn + toPfn, last) : 0;
    const filled =
      level > 0
        ? yield* fillLargeLeaf(area, vpn, vpn + toPfn, level, occupied)
        : yield* fillLeaves(area, vpn, vpn + toPfn, Math.min(last, mm.table.endOfLeafTable(vpn)), occupied);
    mm.pageTableLock.unlock();
    if (filled <= 0) return filled;
    vpn += filled;
  }
  return 0;
}

/** The highest level whose leaf fits at `vpn`: virtual and physical start aligned, and all of it inside the run. */
function largestLevel(area: Vma, vpn: number, pfn: number, last: number): number {
  const { table } = area.mm;
  const { geometry } = table;
  for (let index = geometry.leafLevels.length - 1; index > 0; index--) {
    const level = geometry.leafLevels[index];
    const span = table.pagesAt(level);
    if (vpn % span === 0 && pfn % span === 0 && vpn + span <= last) return level;
  }
  return 0;
}

function* fillLargeLeaf(
  area: Vma,
  vpn: number,
  pfn: number,
  level: number,
  occupied: Occupied,
): Sleepable<number> {
  const { mm } = area;
  const { machine, table } = mm;
  const slot = table.ensure(vpn, level);
  if (slot === NO_TABLE_MEMORY) return -ENOMEM;
  if (slot < 0) {
    reportPresent(area, vpn, occupied);
    return table.pagesAt(level);
  }
  if (machine.sched.interleaving) yield leafPoint(mm, vpn, level, Access.write);
  if (table.leadsToTable(slot, level)) {
    return yield* fillLeaves(area, vpn, pfn, table.endOfLeafTable(vpn), occupied);
  }
  if (table.pool.read(slot) === 0) {
    if (!table.deposit(level)) return -ENOMEM;
    flushCachedRun(mm, pfn, table.pagesAt(level));
    machine.writeEntry(mm, slot, vpn, makePte(pfn, area.pteFlags() | PTE_SPECIAL | PTE_LARGE));
  } else {
    reportPresent(area, vpn, occupied);
  }
  return table.pagesAt(level);
}

/** A remap met an entry: Linux has a BUG there (RE-04), unless it only fills what is missing. */
function reportPresent(area: Vma, vpn: number, occupied: Occupied): void {
  if (occupied === "keep-present") return;
  area.mm.machine.violations.report(
    "remap-over-present",
    `remap over the present entry of page ${vpn} in ${area}`,
    { object: String(area) },
  );
}

function* fillLeaves(
  area: Vma,
  vpn: number,
  pfn: number,
  end: number,
  occupied: Occupied,
): Sleepable<number> {
  const { mm } = area;
  const { machine, table } = mm;
  const { sched, log } = machine;
  const count = end - vpn;
  const slot = table.ensure(vpn, 0);
  if (slot === NO_TABLE_MEMORY) return -ENOMEM;
  if (slot < 0) {
    reportPresent(area, vpn, occupied);
    return count;
  }
  const flags = area.pteFlags() | PTE_SPECIAL;
  flushCachedRun(mm, pfn, count);
  const isPlain = machine.reserved.rules === "6.1" && !sched.interleaving;
  if (isPlain && table.isEmpty(slot, count)) {
    table.fill(slot, count, pfn, flags);
    sched.countAtomic(count);
    log.record("pte-set", mm.id, vpn, makePte(pfn, flags));
    machine.entries?.writesRun(mm, { slot, vpn, entry: makePte(pfn, flags), count });
    return count;
  }
  for (let index = 0; index < count; index++) {
    if (sched.interleaving) yield leafPoint(mm, vpn + index, 0, Access.write);
    if (table.pool.read(slot + index) !== 0) {
      reportPresent(area, vpn + index, occupied);
      continue;
    }
    const page = machine.memory.frames.pageOf((pfn + index) as Pfn);
    if (machine.reserved.remapMaps(page))
      machine.writeEntry(mm, slot + index, vpn + index, makePte(pfn + index, flags));
  }
  return count;
}

/** What other addresses stored to the frames of a run goes to memory, before they are shown here. */
function flushCachedRun(mm: Mm, pfn: number, pages: number): void {
  if (mm.machine.dataCache === undefined) return;
  for (let index = 0; index < pages; index++) flushCachedFrame(mm, (pfn + index) as Pfn);
}
