import {
  ContractViolation,
  definePinningPolicy,
  EFAULT,
  type Kernel,
  type Pinned,
  type PinningPolicy,
  type Sleepable,
} from "@nopage/core/contract";

/**
 * A plain reference on each page: `map_user_kiobuf` of 2.4, and `get_user_pages` without `FOLL_PIN` today.
 *
 * The pages stay allocated until `unpin`, whatever becomes of the mapping and of the process, so the device never
 * touches memory that was handed to somebody else. They do not stay the process's own: after a fork the first of the
 * two that stores gets a copy, and if that is the parent, the device goes on with a page that only the child sees
 * (GP-05).
 */
export const refcount: PinningPolicy = definePinningPolicy({
  name: "refcount",
  supports: {
    holdsBy: "reference",
    survives: ["munmap", "exit"],
    coherentAfterFork: false,
    onDeath: "kept-until-unpin",
  },
  create(kernel) {
    const outstanding = new Set<Pinned>();
    return {
      *pin(mm, start, pages, access): Sleepable<Pinned | number> {
        const intent = access === "device-writes" ? "write" : "read";
        const request = { access: intent, hold: "reference", permission: "checked" } as const;
        const held = yield* kernel.user.getPages(mm, start, pages, request);
        if (typeof held === "number") return held;
        const pinned: Pinned = { mm, start, pages: held, access };
        if (held.length < pages) {
          yield* releaseAll(kernel, pinned, "clean");
          return -EFAULT;
        }
        outstanding.add(pinned);
        return pinned;
      },

      *unpin(pinned, contents): Sleepable<void> {
        if (!outstanding.delete(pinned)) {
          throw new ContractViolation("refcount", "unpin", "was given a token that is not out", undefined);
        }
        yield* releaseAll(kernel, pinned, contents);
      },
    };
  },
});

/** Gives every page back, exactly those that were taken (GP-08), dirty first if the device wrote (GP-10). */
function* releaseAll(kernel: Kernel, { mm, pages }: Pinned, contents: "clean" | "dirty"): Sleepable<void> {
  for (const page of pages) {
    yield* kernel.user.releasePage(mm, page, "reference", contents);
  }
}
