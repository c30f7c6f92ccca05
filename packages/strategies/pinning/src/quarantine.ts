import { definePinningPolicy, type Pinned, type PinningPolicy, type Sleepable } from "@nopage/core/contract";
import { holdPages, releasePages, Tokens } from "./held-pages.ts";

/**
 * Pins as `longterm` does, and trusts no device: when the process has died before its pages are given back, they stay
 * pinned until the driver says that the device has stopped for good. After Zircon's bus transaction initiator
 * (`zx_bti_pin`, `zx_pmt_unpin`, `zx_bti_release_quarantine`), where a token that is dropped instead of unpinned goes to
 * quarantine, because nobody can know that the device has finished.
 *
 * A device that writes once more after it was told to stop then hits memory that nobody else has. The price is memory that
 * nobody can use until the driver is unloaded or the card pulled; it is counted, so that it can be told from a leak. Pins go
 * on being made while there is a quarantine.
 */
export const quarantine: PinningPolicy = definePinningPolicy({
  name: "quarantine",
  supports: {
    holdsBy: "pin",
    survives: ["munmap", "fork", "exit"],
    survivesOnLegacy: ["munmap", "fork", "exit"],
    coherentAfterFork: true,
    onDeath: "quarantined",
    charged: true,
  },
  create(kernel) {
    const tokens = new Tokens("quarantine");
    const { user } = kernel;
    /** Those that wait for the device to stop, with what became of their contents. */
    let waiting: readonly (readonly [Pinned, "clean" | "dirty"])[] = [];

    function* release(pinned: Pinned, contents: "clean" | "dirty"): Sleepable<void> {
      yield* releasePages(kernel, pinned, "pin", contents);
      yield* user.unchargePins(pinned.mm, pinned.pages.length);
    }

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
        if (user.isAlive(pinned.mm)) yield* release(pinned, contents);
        else waiting = [...waiting, [pinned, contents]];
      },

      quarantined() {
        const pages = waiting.reduce((sum, [pinned]) => sum + pinned.pages.length, 0);
        return { tokens: waiting.length, pages };
      },

      *releaseQuarantine(): Sleepable<void> {
        // The list is taken first: what comes meanwhile is for the next time.
        const released = waiting;
        waiting = [];
        for (const [pinned, contents] of released) yield* release(pinned, contents);
      },
    };
  },
});
