import {
  definePinningPolicy,
  ENOMEM,
  type Mm,
  type Pinned,
  type PinningPolicy,
  type Sleepable,
  type UserAddress,
} from "@nopage/core/contract";
import { holdPages, releasePages, Tokens } from "./held-pages.ts";

/**
 * Idea 1 of the 1998 question: the pages are also mapped in a second address space in which nobody runs, the "ghost
 * thread", so that the process's exit is not the end of their last mapping.
 *
 * It holds as long as a plain reference does, and no better: a fork shares the pages all the same, and the parent's next
 * store goes to a copy. What it costs beyond a reference is page tables, which can be refused (-ENOMEM), and that nobody is
 * charged for what the ghost keeps. The ghost is there from the first pin to the last unpin.
 */
export const ghostMm: PinningPolicy = definePinningPolicy({
  name: "ghost-mm",
  supports: {
    holdsBy: "ghost-mm",
    survives: ["munmap", "exit"],
    survivesOnLegacy: ["munmap", "exit"],
    coherentAfterFork: false,
    onDeath: "kept-until-unpin",
    charged: false,
  },
  create(kernel) {
    const { ghosts, user } = kernel;
    const tokens = new Tokens("ghost-mm");
    const places = new Map<Pinned, UserAddress>();
    const lock = kernel.sync.mutex("ghost thread");
    /** Guarded by the lock. */
    let ghost: Mm | undefined;

    /** The ghost goes when it keeps nothing. With the lock held. */
    function* dropIfIdle(): Sleepable<void> {
      if (places.size > 0 || ghost === undefined) return;
      const idle = ghost;
      ghost = undefined;
      yield* user.drop(idle);
    }

    function* share(pinned: Pinned): Sleepable<number> {
      ghost ??= ghosts.create("ghost thread");
      if (ghost === undefined) return -ENOMEM;
      const address = yield* ghosts.share(ghost, pinned.pages);
      if (address < 0) yield* dropIfIdle();
      else places.set(pinned, address as UserAddress);
      return Math.min(address, 0);
    }

    function* unshare(pinned: Pinned): Sleepable<void> {
      const address = places.get(pinned);
      places.delete(pinned);
      if (ghost === undefined || address === undefined) return;
      yield* ghosts.unshare(ghost, address, pinned.pages.length);
      yield* dropIfIdle();
    }

    return {
      *pin(mm, start, pages, access): Sleepable<Pinned | number> {
        // Held by reference until the ghost's entries stand.
        const pinned = yield* holdPages(kernel, { mm, start, pages, access }, "reference");
        if (typeof pinned === "number") return pinned;
        const result = yield* lock.with(() => share(pinned));
        yield* releasePages(kernel, pinned, "reference", "clean");
        return result === 0 ? tokens.handOut(pinned) : result;
      },

      *unpin(pinned, contents): Sleepable<void> {
        tokens.takeBack(pinned);
        if (contents === "dirty") for (const page of pinned.pages) kernel.memory.frames.markDirty(page);
        yield* lock.with(() => unshare(pinned));
      },
    };
  },
});
