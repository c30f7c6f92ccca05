import {
  isCopyOnWrite,
  VM_IO,
  VM_MAYREAD,
  VM_MAYWRITE,
  VM_PFNMAP,
  VM_READ,
  VM_WRITE,
} from "../contract/area-flags.ts";
import { EAGAIN, EEXIST, EFAULT, EHWPOISON, EINTR, ENOMEM } from "../contract/errno.ts";
import type { Atomic, Point, Sleepable } from "../contract/execution.ts";
import type { Page } from "../contract/units.ts";
import { PG_anon, PG_anon_exclusive } from "../memory/page-flags.ts";
import { PTE_SPECIAL, PTE_WRITE, ptePfn } from "../mmu/pte.ts";
import { isGenerator } from "../sched/is-generator.ts";
import { Access } from "../sched/points.ts";
import { replaceByCopy } from "./copy-on-write.ts";
import { entryPoint } from "./entry-points.ts";
import { handleFault } from "./fault.ts";
import { countFault, currentFaultTaker } from "./fault-count.ts";
import type { FaultPatience } from "./fault-result.ts";
import type { Mm } from "./mm.ts";
import { alsoCounts, countsPoint } from "./page-points.ts";
import { standBack } from "./stand-back.ts";
import type { Vma } from "./vma.ts";
import { countedPage } from "./zap.ts";

/** What the caller of `getUserPages` is going to do with the pages (`FOLL_*`). */
export interface PageRequest {
  readonly access: "read" | "write";
  /**
   * A plain reference keeps the page allocated; a pin (`FOLL_PIN`) also keeps it the process's own: fork copies it for
   * the child instead of sharing it. Data needs a pin (GP-05).
   *
   * `reserved-flag` only sets `PG_reserved` while the entry stands, as a driver of 2.0 did that walked the page table
   * itself: on a machine with legacy rules unmapping then spares the page, on others it keeps nothing.
   */
  readonly hold: "reference" | "pin" | "reserved-flag";
  /** Whether areas without the needed permission are accessed all the same, as a debugger does (`FOLL_FORCE`). */
  readonly permission: "checked" | "forced";
  /** Whether a fault may wait at a gate; -EAGAIN where it would have to (`FOLL_NOWAIT`). It may when left out. */
  readonly waiting?: "may-wait" | "no-wait";
}

/**
 * Takes a hold on the pages of `[start, start + count * pageSize)`, faulting them in (`get_user_pages`,
 * `pin_user_pages`). Called without the mmap lock.
 *
 * @returns the pages, fewer than asked for when a later one failed (GP-08); or a negated errno when the first did: -EFAULT,
 *   -ENOMEM, -EEXIST for a bare pfn in a VM_MIXEDMAP area, -EINTR
 */
export function* getUserPages(
  mm: Mm,
  start: number,
  count: number,
  request: PageRequest,
): Sleepable<readonly Page[] | number> {
  const { machine } = mm;
  const pages: Page[] = [];
  let address = start - (start % mm.pageSize);
  let tries = 0;
  while (pages.length < count) {
    if (machine.sched.isDying(machine.sched.running)) return pages.length > 0 ? pages : -EINTR;
    yield* mm.lock.read();
    // Fork reads it under the same lock.
    if (request.hold === "pin") mm.hasPinned = true;
    const result = yield* holdPage(mm, address, request, tries);
    if (result !== "lock-dropped") mm.lock.unlockRead();
    if (typeof result === "string") {
      yield* standBack(machine, ++tries, "killable");
      continue;
    }
    if (result < 0) return pages.length > 0 ? pages : result;
    pages.push(result as Page);
    address += mm.pageSize;
    tries = 0;
  }
  machine.log.record("pin", mm.id, start, count);
  return pages;
}

/** Gives one hold back; the contents go dirty if the holder wrote (`unpin_user_page`, `put_page`). */
export function* releaseUserPage(
  mm: Mm,
  page: Page,
  hold: PageRequest["hold"],
  contents: "clean" | "dirty",
): Atomic<void> {
  const { machine } = mm;
  const { frames } = machine.memory;
  if (page === machine.zeroPage) return;
  const access = hold === "reserved-flag" ? Access.write : Access.countDown;
  if (machine.sched.interleaving) yield countsPoint(machine, page, access);
  if (contents === "dirty") frames.markDirty(page);
  if (hold === "pin") frames.unpin(page);
  else if (hold === "reserved-flag") giveBackSpared(mm, page);
  else if (machine.reserved.takesReference(page)) machine.memory.frames.put(page);
  machine.log.record("unpin", page, 1);
}

/** Clears the flag, and drops the references that unmapping has left standing because of it. */
function giveBackSpared({ machine }: Mm, page: Page): void {
  const { frames } = machine.memory;
  for (let spared = machine.reserved.marks.unmark(page); spared > 0; spared--) frames.put(page);
}

/** One page with the mmap lock held for reading: the page, or what stands in the way. */
function* holdPage(
  mm: Mm,
  address: number,
  request: PageRequest,
  tries: number,
): Sleepable<number | "again" | "lock-dropped"> {
  const area = mm.areas.find(address);
  if (area === undefined) return -EFAULT;
  const refusal = checkArea(area, request);
  if (refusal !== 0) return refusal;
  const { sched } = mm.machine;
  const vpn = address * mm.perPage;
  yield* mm.pageTableLock.lock();
  if (sched.interleaving) yield lookAndTakePoint(area, vpn, request);
  const entry = mm.table.entryOf(vpn);
  const found = usablePage(area, entry, request);
  if (typeof found === "number") {
    const result = found < 0 ? found : take(mm, found as Page, request);
    mm.pageTableLock.unlock();
    return result;
  }
  if (found === "must-unshare") {
    const page = ptePfn(entry) as number as Page;
    const isHeld = mm.machine.memory.frames.tryGet(page);
    mm.pageTableLock.unlock();
    if (!isHeld) return -ENOMEM;
    const result = yield* replaceByCopy(area, address, entry, page);
    return result === "oom" ? -ENOMEM : "again";
  }
  mm.pageTableLock.unlock();
  const faulted = yield* faultIn(area, address, request.access, tries, patienceOf(request));
  if (faulted === 0) return "again";
  return faulted === -EHWPOISON ? -EFAULT : faulted;
}

/** Announces the look at an entry together with the hold that is taken on its page, which stands fast under the lock. */
function lookAndTakePoint(area: Vma, vpn: number, { hold }: PageRequest): Point {
  const { mm } = area;
  const page = countedPage(area, mm.table.entryOf(vpn));
  const access = hold === "reserved-flag" ? Access.write : Access.countUp;
  return alsoCounts(mm.machine, entryPoint(mm, vpn, Access.read), page, access);
}

function patienceOf({ waiting }: PageRequest): FaultPatience {
  return waiting === "no-wait" ? "no-wait" : "killable";
}

/** Whether the area may be held in this way (`check_vma_flags`): 0 or -EFAULT. */
function checkArea(area: Vma, { access, permission }: PageRequest): number {
  if ((area.flags & (VM_IO | VM_PFNMAP)) !== 0) return -EFAULT;
  if (access === "write") {
    if ((area.flags & VM_WRITE) !== 0) return 0;
    if (permission === "checked") return -EFAULT;
    return (area.flags & VM_MAYWRITE) !== 0 && isCopyOnWrite(area.flags) ? 0 : -EFAULT;
  }
  if ((area.flags & VM_READ) !== 0) return 0;
  return permission === "forced" && (area.flags & VM_MAYREAD) !== 0 ? 0 : -EFAULT;
}

/** The page of an entry if it serves the request (`follow_page_pte`, `can_follow_write_pte`). */
function usablePage(area: Vma, entry: number, request: PageRequest): number | "must-fault" | "must-unshare" {
  const { machine } = area.mm;
  const { frames } = machine.memory;
  if (entry === 0) return "must-fault";
  const pfn = ptePfn(entry);
  if (pfn === machine.zeroPage && area.isAnonymous) return request.access === "write" ? "must-fault" : pfn;
  if ((entry & PTE_SPECIAL) !== 0) return -EEXIST;
  const page = pfn as number as Page;
  const isPrivate = frames.hasFlags(page, PG_anon);
  const isOwn = isPrivate && frames.hasFlags(page, PG_anon_exclusive);
  if (request.access === "write" && (entry & PTE_WRITE) === 0) {
    const isForcedCopy = request.permission === "forced" && (area.flags & VM_WRITE) === 0 && isOwn;
    if (!isForcedCopy) return "must-fault";
  }
  return request.hold === "pin" && isPrivate && !isOwn ? "must-unshare" : pfn;
}

/** Takes the hold itself: the page, or -ENOMEM when its count is at the limit. The page of zeros is never counted. */
function take(mm: Mm, page: Page, request: PageRequest): number {
  const { machine } = mm;
  if (page === machine.zeroPage) return page;
  if (request.hold === "pin") return machine.memory.frames.tryPin(page) ? page : -ENOMEM;
  if (request.hold === "reserved-flag") {
    machine.reserved.marks.mark(page);
    return page;
  }
  if (!machine.reserved.takesReference(page)) return page;
  return machine.memory.frames.tryGet(page) ? page : -ENOMEM;
}

/**
 * Faults one page in for the kernel (`faultin_page`): 0, a negated errno (FR-10), or `lock-dropped` when the mmap lock
 * had to be given up and the caller starts over. `tries` counts the faults for this page before: after one that
 * waited, the fault is a major one.
 */
export function* faultIn(
  area: Vma,
  address: number,
  access: "read" | "write",
  tries: number,
  patience: FaultPatience = "killable",
): Sleepable<number | "lock-dropped"> {
  const { machine, lock } = area.mm;
  const answer = handleFault(area, address, access, patience);
  const result = isGenerator(answer) ? yield* answer : answer;
  switch (result) {
    case "done":
      countFault(machine, currentFaultTaker(machine), tries > 0 ? "major" : "minor");
      return 0;
    case "retry":
      return "lock-dropped";
    case "interrupted":
      yield* lock.read();
      return -EINTR;
    case "oom":
      return -ENOMEM;
    case "would-wait":
      return -EAGAIN;
    case "hwpoison":
      return -EHWPOISON;
    default:
      return -EFAULT;
  }
}
