import { definePinningPolicy, type Pinned, type PinningPolicy, type Sleepable } from "@nopage/core/contract";
import { holdPages, releasePages, Tokens } from "./held-pages.ts";

/**
 * A pin on each page: `pin_user_pages` with `FOLL_LONGTERM`, what io_uring, RDMA and vfio do today.
 *
 * A pin is counted apart from references, so that fork can tell that a device may write to the page at any time: the child
 * gets a copy at once, and the parent keeps the page that the device has (GP-04). The pages are charged to the process,
 * -ENOMEM above its limit of locked memory, and the charge goes with the pin, also when pinning fails half-way (RC-08; BUGS
 * B46, B54).
 *
 * What Linux does beyond that has nothing to act on here: there is no movable zone to migrate pages out of, and no file
 * system that would refuse (GP-09).
 */
export const longterm: PinningPolicy = definePinningPolicy({
  name: "longterm",
  supports: {
    holdsBy: "pin",
    survives: ["munmap", "fork", "exit"],
    survivesOnLegacy: ["munmap", "fork", "exit"],
    coherentAfterFork: true,
    onDeath: "kept-until-unpin",
    charged: true,
  },
  create(kernel) {
    const tokens = new Tokens("longterm");
    const { user } = kernel;
    return {
      *pin(mm, start, pages, access): Sleepable<Pinned | number> {
        const refused = yield* user.chargePins(mm, pages);
        if (refused !== 0) return refused;
        const pinned = yield* holdPages(kernel, { mm, start, pages, access }, "pin");
        if (typeof pinned !== "number") return tokens.handOut(pinned);
        yield* user.unchargePins(mm, pages);
        return pinned;
      },

      *unpin(pinned, contents): Sleepable<void> {
        tokens.takeBack(pinned);
        yield* releasePages(kernel, pinned, "pin", contents);
        yield* user.unchargePins(pinned.mm, pinned.pages.length);
      },
    };
  },
});
