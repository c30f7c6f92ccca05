import { type Machine, ObjectKind, type Page, PG_hwpoison, PointAccess } from "@nopage/core";

/** The hardware behind a page breaks, or is mended, in the step under way (`SetPageHWPoison`, mm/memory-failure.c). */
export function setHardware({ sched, memory }: Machine, page: Page, state: "broken" | "whole"): void {
  sched.note(ObjectKind.frameCounts, memory.frames.headOf(page), PointAccess.write);
  if (state === "broken") memory.frames.setFlags(page, PG_hwpoison);
  else memory.frames.clearFlags(page, PG_hwpoison);
}
