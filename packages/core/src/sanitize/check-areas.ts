import { VM_LOCKED } from "../contract/area-flags.ts";
import type { AddressSpace } from "../mm/address-space.ts";
import type { Mm } from "../mm/mm.ts";
import type { Vma } from "../mm/vma.ts";

/** Takes one sentence about something that does not agree. */
export type Say = (sentence: string) => void;

/** Whether the areas of one mm are in order, and its totals are theirs. */
export function checkAreas(mm: Mm, say: Say): void {
  let end = 0;
  let totalPages = 0;
  let lockedPages = 0;
  const areas = mm.areas.all();
  for (const area of areas) {
    if (area.mm !== mm || !area.isLinked)
      say(`${area} stands in the map of ${mm.name} but does not belong there`);
    if (area.start < end) say(`${area} overlaps the area below it`);
    if (area.start >= area.end || area.start % mm.pageSize !== 0 || area.end % mm.pageSize !== 0) {
      say(`${area} is empty or not page-aligned`);
    }
    if (area.end > mm.machine.geometry.userEnd) say(`${area} reaches into the kernel's half`);
    end = area.end;
    totalPages += area.pages;
    if ((area.flags & VM_LOCKED) !== 0) lockedPages += area.pages;
    if (mm.areas.find(area.start) !== area || mm.areas.find(area.end - 1) !== area) {
      say(`${area} is not found by its own addresses`);
    }
    if (area.mapping !== undefined) checkShown(area, area.mapping, say);
  }
  if (areas.length !== mm.areas.size) say(`${mm.name} has ${areas.length} areas but counts ${mm.areas.size}`);
  if (mm.totalPages !== totalPages) {
    say(`${mm.name} has areas of ${totalPages} pages but is charged for ${mm.totalPages}`);
  }
  if (mm.lockedPages !== lockedPages) {
    say(`${mm.name} has locked areas of ${lockedPages} pages but is charged for ${mm.lockedPages}`);
  }
  if (mm.lock.holders().length > 0) say(`the mmap lock of ${mm.name} is held`);
  if (mm.pageTableLock.isHeld) say(`the page-table lock of ${mm.name} is held`);
}

/** Whether the reverse map finds the area by the pages that it shows, and by no others. */
function checkShown(area: Vma, mapping: AddressSpace, say: Say): void {
  const last = area.pgoff + area.pages - 1;
  for (const page of [area.pgoff, last]) {
    const times = mapping.areasShowing(page, 1).filter((other) => other === area).length;
    if (times !== 1) say(`${mapping.name} finds ${area} ${times} times by its page ${page}`);
  }
  for (const page of [area.pgoff - 1, last + 1]) {
    if (mapping.areasShowing(page, 1).includes(area)) {
      say(`${mapping.name} finds ${area} by page ${page}, which it does not show`);
    }
  }
}

/** Whether a reverse map knows only areas that are mapped. */
export function checkReverseMap(mapping: AddressSpace, say: Say): void {
  const areas = mapping.areasShowing(0, Number.MAX_SAFE_INTEGER);
  for (const area of areas) {
    if (!area.isLinked || area.mapping !== mapping) say(`${mapping.name} still finds ${area}, which is gone`);
  }
  if (areas.length !== mapping.size) {
    say(`${mapping.name} counts ${mapping.size} areas but shows ${areas.length}`);
  }
}
