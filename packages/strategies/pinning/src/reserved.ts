import { definePinningPolicy, type Pinned, type PinningPolicy, type Sleepable } from "@nopage/core/contract";
import { holdPages, releasePages, Tokens } from "./held-pages.ts";

/**
 * Idea 2 of the 1998 question: the pages are marked reserved instead of held. No reference is taken; that "reserved pages
 * are not freed by the free_pte() function" is all that keeps them.
 *
 * On a machine with the rules of 2.4 or 2.6.11 it works as he hoped: unmapping leaves the entry's reference standing, also
 * at exit, and `unpin` drops it. Two dangers come with it. rss of a process that unmaps such a page is never taken back
 * (RS-03). And get_user_pages of *another* driver takes no reference on a reserved page, so its transfer loses the page as
 * soon as this one is over (RS-04).
 *
 * Today the flag changes nothing (RS-01): munmap and exit drop the last reference of a page that a device is writing to. The
 * page allocator refuses a page with the flag (`bad_page`), so it is lost for good instead of handed out under the device;
 * both is reported. That is luck and no protection, hence `unsafe`.
 */
export const reserved: PinningPolicy = definePinningPolicy({
  name: "reserved",
  supports: {
    holdsBy: "reserved-flag",
    survives: [],
    survivesOnLegacy: ["munmap", "exit"],
    coherentAfterFork: false,
    onDeath: "unsafe",
    charged: false,
  },
  create(kernel) {
    const tokens = new Tokens("reserved");
    return {
      *pin(mm, start, pages, access): Sleepable<Pinned | number> {
        const pinned = yield* holdPages(kernel, { mm, start, pages, access }, "reserved-flag");
        return typeof pinned === "number" ? pinned : tokens.handOut(pinned);
      },

      *unpin(pinned, contents): Sleepable<void> {
        tokens.takeBack(pinned);
        yield* releasePages(kernel, pinned, "reserved-flag", contents);
      },
    };
  },
});
