import type { Pfn } from "@nopage/core";
import { VM_READ, VM_WRITE } from "@nopage/core";
import { markOf } from "../../mark.ts";
import { claimMarkedWindow } from "../../marked-window.ts";
import { succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import { entriesIn } from "./planted-device.ts";

/** Where and how bare frames are mapped; all of them, at the kernel's choice, where left out. */
export interface BareMapping {
  readonly fixedAt?: number;
  readonly sharing?: "shared" | "private";
  readonly protection?: number;
  /** One that `open` answered with; otherwise it opens and closes its own. */
  readonly descriptor?: number;
}

/** Frames that nobody counts, which an mmap hook remaps at once; each begins with its mark. For model-only cases. */
export interface BareFrames {
  readonly first: Pfn;
  readonly pages: number;
  /** Entries that the last remap of the hook has left in its range. */
  entries(): number;
  open(): Steps<number>;
  /** Maps all of them, which must succeed: the address. */
  map(mapping?: BareMapping): Steps<number>;
  /** The same, and mmap may fail: the address, or a negated errno. */
  tryMap(mapping?: BareMapping): Steps<number>;
  markOf(page: number): number;
}

/**
 * Puts a device on the machine that remaps a window of registers, the first of whose frames is a multiple of so many pages.
 *
 * @param pages a power of two
 * @param leaves whether the remap may use leaves above level 0
 */
export function* bareFrames(pages: number, leaves: "single" | "large" = "single"): Steps<BareFrames> {
  const path = "/dev/bare";
  let entries = 0;
  const { first, firstMark, pageSize } = yield* user.kernel(function* ({ machine, kernel }) {
    const { startPfn } = claimMarkedWindow(machine, 2 * pages).range;
    const pfn = (Math.ceil(startPfn / pages) * pages) as Pfn;
    machine.devices.register(path, {
      name: path,
      owner: undefined,
      *mmap(_file, area) {
        area.ops = { name: path };
        const request = { address: area.start, pfn, pages: area.pages, leaves } as const;
        const answer = yield* kernel.mappings.remapPfnRange(area, request);
        entries = entriesIn(area.mm, area.start, area.pages);
        return answer;
      },
    });
    return { first: pfn, firstMark: pfn - startPfn, pageSize: machine.geometry.pageSize };
  });
  const open = () =>
    succeed(`open of ${path}`, user.open({ path, mode: "read-write", blocking: "blocking" }));
  function* tryMap(mapping: BareMapping = {}) {
    const { fixedAt, sharing = "shared", protection = VM_READ | VM_WRITE } = mapping;
    const descriptor = mapping.descriptor ?? (yield* open());
    const address = yield* user.mmap({
      length: pages * pageSize,
      protection,
      sharing,
      pgoff: 0,
      descriptor,
      ...(fixedAt !== undefined && { address: fixedAt, placement: "fixed" }),
    });
    if (mapping.descriptor === undefined) yield* user.close(descriptor);
    return address;
  }
  return {
    first,
    pages,
    entries: () => entries,
    markOf: (page) => markOf(firstMark + page),
    open,
    tryMap,
    map: (mapping) => succeed(`mmap of ${path}`, tryMap(mapping)),
  };
}
