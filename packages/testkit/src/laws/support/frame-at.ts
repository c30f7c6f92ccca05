import type { Page } from "@nopage/core";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";

/** What an entry's frame number is multiplied by. */
const PFN_UNIT = 4096;

/** The frame that the calling process has at an address, 0 where it has no entry; nothing is taken. For model-only cases. */
export function* frameAt(address: number): Steps<Page> {
  return yield* user.kernel(function* ({ thread: { mm } }) {
    return Math.floor(mm.table.entryOf(Math.floor(address / mm.pageSize)) / PFN_UNIT) as Page;
  });
}

/** Sets a frame's count of references and answers what it was: for laws about a count at its limit. */
export function* setReferences(page: Page, count: number): Steps<number> {
  return yield* user.kernel(function* ({ machine }) {
    const { frames } = machine.memory;
    const counted = frames.headOf(page);
    const before = frames.refcount[counted] ?? 0;
    frames.refcount[counted] = count;
    return before;
  });
}

/** The count of `try_get_page` beyond which no reference is given. */
export const SATURATED = 0x7fff_ffff;
