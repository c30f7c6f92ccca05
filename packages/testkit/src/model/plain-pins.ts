import { definePinningPolicy, EFAULT, type PinningPolicy } from "@nopage/core";

/**
 * A pin on each page and nothing else (`pin_user_pages`): what the laws of pinning are tried on where no policy is under
 * test.
 */
export const plainPins: PinningPolicy = definePinningPolicy({
  name: "plain pins",
  supports: {
    holdsBy: "pin",
    survives: ["munmap", "fork", "exit"],
    survivesOnLegacy: ["munmap", "fork", "exit"],
    coherentAfterFork: true,
    onDeath: "kept-until-unpin",
    charged: false,
  },
  create: ({ user }) => ({
    *pin(mm, start, pages, access) {
      const intent = access === "device-writes" ? "write" : "read";
      const held = yield* user.getPages(mm, start, pages, {
        access: intent,
        hold: "pin",
        permission: "checked",
      });
      if (typeof held === "number") return held;
      if (held.length === pages) return { mm, start, pages: held, access };
      for (const page of held) yield* user.releasePage(mm, page, "pin", "clean");
      return -EFAULT;
    },
    *unpin({ mm, pages }, contents) {
      for (const page of pages) yield* user.releasePage(mm, page, "pin", contents);
    },
  }),
});
