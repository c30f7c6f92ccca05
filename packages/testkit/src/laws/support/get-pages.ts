import type { Page, UserAddress } from "@nopage/core";
import type { Inside } from "../../program/kernel-call.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";

/** What get_user_pages is asked for (`FOLL_*`). */
export type PageRequest = Parameters<Inside["kernel"]["user"]["getPages"]>[3];

/** `pin_user_pages` for a device that writes. */
export const TO_WRITE: PageRequest = { access: "write", hold: "pin", permission: "checked" };
/** The same for one that reads. */
export const TO_READ: PageRequest = { access: "read", hold: "pin", permission: "checked" };

/** get_user_pages of the calling process: the pages, or a negated errno. For model-only cases. */
export function* getPages(
  address: number,
  count: number,
  request: PageRequest,
): Steps<readonly Page[] | number> {
  return yield* user.kernel(({ kernel, thread }) =>
    kernel.user.getPages(thread.mm, address as UserAddress, count, request),
  );
}

/** Gives back what `getPages` answered, if it answered pages. */
export function* releasePages(held: readonly Page[] | number, { hold }: PageRequest): Steps<void> {
  yield* user.kernel(function* ({ kernel, thread }) {
    for (const page of typeof held === "number" ? [] : held) {
      yield* kernel.user.releasePage(thread.mm, page, hold, "clean");
    }
  });
}

/** get_user_pages of one page, which is given back at once: 0, or a negated errno. */
export function* tryPage(address: number, request: PageRequest): Steps<number> {
  const held = yield* getPages(address, 1, request);
  yield* releasePages(held, request);
  return typeof held === "number" ? held : 0;
}
