import type { Point } from "../contract/execution.ts";
import type { Page } from "../contract/units.ts";
import type { Machine } from "../machine.ts";
import { openGate } from "../memory/allocation-gate.ts";
import type { VirtualCache } from "../mmu/virtual-cache.ts";
import { Access, Allocator, ObjectKind } from "../sched/points.ts";

/** Announces an access to the counts and flags of a page, which are those of its head. */
export function countsPoint(machine: Machine, page: Page, access: Access): Point {
  return machine.sched.at(ObjectKind.frameCounts, machine.memory.frames.headOf(page), access);
}

/** Announces that the same step touches the counts and flags of a page, or those of no page. */
export function alsoCounts(machine: Machine, point: Point, page: Page | undefined, access: Access): Point {
  if (page === undefined) return point;
  return machine.sched.also(point, ObjectKind.frameCounts, machine.memory.frames.headOf(page), access);
}

/**
 * Notes that the step under way looks at a page's flags, and at whether it is handed out at all. References that others take
 * change neither, so the look is noted as one of them: it meets whoever frees the page or takes it anew, and not whoever
 * looks as well.
 */
export function noteLookAt({ sched, memory }: Machine, page: Page): void {
  if (!sched.interleaving || !memory.frames.hasPage(page)) return;
  sched.note(ObjectKind.frameCounts, memory.frames.headOf(page), Access.countUp);
}

/**
 * Notes with the scheduler, for every step, what plain functions did in it that cannot announce anything: of the page
 * allocator which frame comes next, for each frame that changed hands its counts, its flags and its contents, and of one that
 * somebody else still holds its counts; of kmalloc the cache, the page by which it knows an address, and what it clears; of
 * vmalloc the list of areas with their entries; the lists of coherent buffers and of devices' windows; which allocation is the
 * one to fail; what a virtually indexed cache holds; of which frames the kernel loads and stores the contents by its own
 * addresses, and into which it copies another. So a load through a stale translation, and a use of memory of the kernel, meet
 * the freeing of the frame.
 */
export function noteAllocations(machine: Machine): void {
  const { sched, memory, settings, dataCache } = machine;
  if (dataCache !== undefined) noteCache(machine, dataCache);
  const noteFrame = (pfn: number) => {
    sched.note(ObjectKind.frameCounts, pfn, Access.write);
    sched.note(ObjectKind.frameContents, pfn, Access.write);
  };
  const note = (pfn: number, order: number) => {
    sched.note(ObjectKind.allocator, Allocator.frame, Access.write);
    if (pfn < 0) return;
    for (let at = pfn; at < pfn + 2 ** order; at++) noteFrame(at);
  };
  memory.buddy.onChange = note;
  if (memory.pagelessBuddy !== undefined) memory.pagelessBuddy.onChange = note;
  const { kmalloc, vmalloc, coherent, io, pages, kernel } = memory;
  memory.onCopy = (to) => sched.note(ObjectKind.frameContents, to, Access.write);
  kernel.onAccess = (pfn, access) =>
    sched.note(ObjectKind.frameContents, pfn, access === "store" ? Access.write : Access.read);
  pages.onPut = (page) => sched.note(ObjectKind.frameCounts, memory.frames.headOf(page), Access.countDown);
  pages.onLost = noteFrame;
  const of = (allocator: number, use: "change" | "look") =>
    sched.note(ObjectKind.allocator, allocator, use === "change" ? Access.write : Access.read);
  kmalloc.onLook = (page) => noteLookAt(machine, page);
  kmalloc.onClear = (page) => sched.note(ObjectKind.frameContents, page, Access.write);
  kmalloc.onUse = (cache, use) => of(Allocator.kmalloc + cache, use);
  vmalloc.onUse = (use) => of(Allocator.vmalloc, use);
  coherent.onUse = (use) => of(Allocator.coherent, use);
  io.onUse = (use) => of(Allocator.window, use);
  if (settings.allocations !== openGate) settings.allocations.onAsk = () => of(Allocator.failure, "change");
}

/**
 * Notes what a data cache that is indexed virtually does: which pages it holds, the oldest of which makes room, is one object;
 * a page that comes in is read, and one that goes is written and empties every TLB.
 */
function noteCache({ sched, tlbs }: Machine, cache: VirtualCache): void {
  const cell = sched.nextObject();
  cache.onUse = (use, pfn) => {
    sched.note(ObjectKind.cell, cell, use === "look" ? Access.read : Access.write);
    if (use === "look") return;
    sched.note(ObjectKind.frameContents, pfn, use === "fill" ? Access.read : Access.write);
    if (use === "fill") return;
    for (let cpu = 0; cpu < tlbs.length; cpu++) sched.note(ObjectKind.tlb, cpu, Access.write);
  };
}
