import { ENOMEM } from "../contract/errno.ts";
import type { Sleepable } from "../contract/execution.ts";
import type { Page, UserAddress } from "../contract/units.ts";
import type { Machine } from "../machine.ts";
import { makePte } from "../mmu/pte.ts";
import { Access, ObjectKind } from "../sched/points.ts";
import type { Mm } from "./mm.ts";
import { mmap } from "./mmap.ts";
import { munmap } from "./munmap.ts";
import type { Vma } from "./vma.ts";
import { rememberPage } from "./zap.ts";

/**
 * An address space without threads (idea 1 of the 1998 question: "a dummy ghost thread associated with the module").
 * Its entries allow no access, so a private page that it maps stays its owner's alone. Undefined when memory has run out.
 */
export function createGhost(machine: Machine, name: string): Mm | undefined {
  const ghost = machine.tryCreateMm(name);
  if (ghost !== undefined) ghost.isGhost = true;
  return ghost;
}

/**
 * Maps pages that the caller holds in a ghost. Nothing is made copy-on-write, in neither address space: the owner goes on
 * storing to the very page that the device has.
 *
 * @returns the address, or -ENOMEM with nothing mapped
 */
export function* shareWithGhost(ghost: Mm, pages: readonly Page[]): Sleepable<UserAddress | number> {
  const length = pages.length * ghost.pageSize;
  const address = yield* mmap(ghost, { length, protection: 0, sharing: "private" }, undefined);
  if (address < 0) return address;
  yield* ghost.lock.read();
  const area = ghost.areas.find(address) as Vma;
  area.prepareLineage();
  let result = 0;
  for (const [index, page] of pages.entries()) {
    if (result === 0) result = yield* mapPage(area, address + index * ghost.pageSize, page);
  }
  ghost.lock.unlockRead();
  if (result === 0) return address as UserAddress;
  yield* munmap(ghost, address, length);
  return result;
}

/** Unmaps what `shareWithGhost` mapped, and drops its references. */
export function* unshareWithGhost(ghost: Mm, address: UserAddress, pages: number): Sleepable<void> {
  yield* munmap(ghost, address, pages * ghost.pageSize);
}

/** One counted entry that allows nothing. The page of zeros needs no holding. */
function* mapPage(area: Vma, address: number, page: Page): Sleepable<number> {
  const { mm } = area;
  const { machine } = mm;
  const { sched } = machine;
  if (page === machine.zeroPage) return 0;
  const vpn = address * mm.perPage;
  yield* mm.pageTableLock.lock();
  const slot = mm.table.ensure(vpn, 0);
  let result = -ENOMEM;
  if (slot >= 0) {
    if (sched.interleaving) yield sched.at(ObjectKind.frameCounts, page, Access.countUp);
    if (machine.memory.frames.tryGet(page)) {
      rememberPage(area, page);
      machine.writeEntry(mm, slot, vpn, makePte(page, area.pteFlags()));
      result = 0;
    }
  }
  mm.pageTableLock.unlock();
  return result;
}
