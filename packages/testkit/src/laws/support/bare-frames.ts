import type { Pfn } from "@nopage/core";
import { VM_READ, VM_WRITE } from "@nopage/core";
import { markOf } from "../../mark.ts";
import { claimMarkedWindow } from "../../marked-window.ts";
import { succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";

/** Where and how bare frames are mapped; all of them, at the kernel's choice, where left out. */
export interface BareMapping {
  readonly fixedAt?: number;
  readonly sharing?: "shared" | "private";
  readonly protection?: number;
}

/** Frames that nobody counts, which an mmap hook remaps at once; each begins with its mark. For model-only cases. */
export interface BareFrames {
  readonly first: Pfn;
  readonly pages: number;
  /** Maps all of them, which must succeed: the address. */
  map(mapping?: BareMapping): Steps<number>;
  /** The same, and mmap may fail: the address, or a negated errno. */
  tryMap(mapping?: BareMapping): Steps<number>;
  markOf(page: number): number;
}

/**
 * Puts a device on the machine that remaps a window of registers.
 *
 * @param leaves whether the remap may use leaves above level 0
 */
export function* bareFrames(pages: number, leaves: "single" | "large" = "single"): Steps<BareFrames> {
  const path = "/dev/bare";
  const { first, pageSize } = yield* user.kernel(function* ({ machine, kernel }) {
    const { startPfn } = claimMarkedWindow(machine, pages).range;
    machine.devices.register(path, {
      name: path,
      owner: undefined,
      *mmap(_file, area) {
        area.ops = { name: path };
        const request = { address: area.start, pfn: startPfn, pages: area.pages, leaves } as const;
        return yield* kernel.mappings.remapPfnRange(area, request);
      },
    });
    return { first: startPfn, pageSize: machine.geometry.pageSize };
  });
  function* tryMap({ fixedAt, sharing = "shared", protection = VM_READ | VM_WRITE }: BareMapping = {}) {
    const request = { path, mode: "read-write", blocking: "blocking" } as const;
    const descriptor = yield* succeed(`open of ${path}`, user.open(request));
    const address = yield* user.mmap({
      length: pages * pageSize,
      protection,
      sharing,
      pgoff: 0,
      descriptor,
      ...(fixedAt !== undefined && { address: fixedAt, placement: "fixed" }),
    });
    yield* user.close(descriptor);
    return address;
  }
  return { first, pages, markOf, tryMap, map: (mapping) => succeed(`mmap of ${path}`, tryMap(mapping)) };
}
