import { definePinningPolicy, type Pinned, type PinningPolicy, type Sleepable } from "@nopage/core/contract";
import { holdPages, releasePages, Tokens } from "./held-pages.ts";

/**
 * A plain reference on each page: `map_user_kiobuf` of 2.4, and `get_user_pages` without `FOLL_PIN` today.
 *
 * The pages stay allocated until `unpin`, whatever becomes of the mapping and of the process, so the device never
 * touches memory that was handed to somebody else. They do not stay the process's own: after a fork the first of the
 * two that stores gets a copy, and if that is the parent, the device goes on with a page that only the child sees
 * (GP-05).
 *
 * On a machine with legacy rules a page that somebody marked reserved gets no reference, and is not held at all (RS-04, the
 * last paragraph of the 2004 mail).
 */
export const refcount: PinningPolicy = definePinningPolicy({
  name: "refcount",
  supports: {
    holdsBy: "reference",
    survives: ["munmap", "exit"],
    survivesOnLegacy: ["munmap", "exit"],
    coherentAfterFork: false,
    onDeath: "kept-until-unpin",
    charged: false,
  },
  create(kernel) {
    const tokens = new Tokens("refcount");
    return {
      *pin(mm, start, pages, access): Sleepable<Pinned | number> {
        const pinned = yield* holdPages(kernel, { mm, start, pages, access }, "reference");
        return typeof pinned === "number" ? pinned : tokens.handOut(pinned);
      },

      *unpin(pinned, contents): Sleepable<void> {
        tokens.takeBack(pinned);
        yield* releasePages(kernel, pinned, "reference", contents);
      },
    };
  },
});
