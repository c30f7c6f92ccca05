import type { Point } from "../contract/execution.ts";
import { Access, ObjectKind } from "../sched/points.ts";
import type { Mm } from "./mm.ts";

/**
 * Announces an access to the entry that maps `vpn`, or would: the one of level 0, or the large leaf above it. For callers
 * that hold the page-table lock, without which no entry changes its level.
 */
export function entryPoint(mm: Mm, vpn: number, access: Access): Point {
  const slot = mm.table.find(vpn);
  return leafPoint(mm, vpn, slot < 0 ? 0 : mm.table.level, access);
}

/** Announces an access to the entry of `level` that maps `vpn`, or would; the page-table lock is held. */
export function leafPoint(mm: Mm, vpn: number, level: number, access: Access): Point {
  return mm.machine.sched.at(ObjectKind.pageTableEntry, mm.entryId(vpn, level), access);
}

/**
 * Announces a look at what maps `vpn` by somebody who holds no lock: at the entry of every level that may have a leaf,
 * because a large one may be split or put there at any time. Tables that come and go empty change nothing for such a
 * look, and are not announced by those who make and free them.
 */
export function lookPoint(mm: Mm, vpn: number): Point {
  const { sched } = mm.machine;
  const point = leafPoint(mm, vpn, 0, Access.read);
  for (const level of mm.table.geometry.leafLevels) {
    if (level > 0) sched.also(point, ObjectKind.pageTableEntry, mm.entryId(vpn, level), Access.read);
  }
  return point;
}

/** Notes that the step under way looks at what maps `vpn`, as `lookPoint` announces it: for plain functions. */
export function noteLook(mm: Mm, vpn: number): void {
  const { sched } = mm.machine;
  if (!sched.interleaving) return;
  sched.note(ObjectKind.pageTableEntry, mm.entryId(vpn), Access.read);
  for (const level of mm.table.geometry.leafLevels) {
    if (level > 0) sched.note(ObjectKind.pageTableEntry, mm.entryId(vpn, level), Access.read);
  }
}

/**
 * Announces the hardware's walk to `vpn` with the state as it is at present: the entries that it reads, from the top to
 * the one where it ends, and that one as written if the walk will set any of `bits` in it.
 *
 * @param bits the flags that the walk leaves set; 0 when it will be refused and sets none
 */
export function walkPoint(mm: Mm, vpn: number, bits: number): Point {
  const { sched } = mm.machine;
  const { table } = mm;
  const slot = table.find(vpn);
  const end = slot < 0 ? 0 : table.level;
  const isWrite = slot >= 0 && (bits & ~table.pool.read(slot)) !== 0;
  const point = leafPoint(mm, vpn, end, isWrite ? Access.write : Access.read);
  for (const level of table.geometry.leafLevels) {
    if (level > end) sched.also(point, ObjectKind.pageTableEntry, mm.entryId(vpn, level), Access.read);
  }
  return point;
}
