import {
  ContractViolation,
  EFAULT,
  type Kernel,
  type Mm,
  type PageRequest,
  type PinAccess,
  type Pinned,
  type Sleepable,
  type UserAddress,
} from "@nopage/core/contract";

/** What `PinningHooks.pin` is asked for. */
export interface Wanted {
  readonly mm: Mm;
  readonly start: UserAddress;
  readonly pages: number;
  readonly access: PinAccess;
}

/**
 * Takes a hold of one kind on every page, or on none: when a later page fails, those before are given back, exactly those
 * (GP-08).
 *
 * @returns the token, or a negated errno; -EFAULT when only some of the pages could be had
 */
export function* holdPages(
  kernel: Kernel,
  { mm, start, pages, access }: Wanted,
  hold: PageRequest["hold"],
): Sleepable<Pinned | number> {
  const intent = access === "device-writes" ? "write" : "read";
  const held = yield* kernel.user.getPages(mm, start, pages, { access: intent, hold, permission: "checked" });
  if (typeof held === "number") return held;
  const pinned: Pinned = { mm, start, pages: held, access };
  if (held.length === pages) return pinned;
  yield* releasePages(kernel, pinned, hold, "clean");
  return -EFAULT;
}

/** Gives every page back, dirty first if the device wrote (GP-10). */
export function* releasePages(
  kernel: Kernel,
  { mm, pages }: Pinned,
  hold: PageRequest["hold"],
  contents: "clean" | "dirty",
): Sleepable<void> {
  for (const page of pages) yield* kernel.user.releasePage(mm, page, hold, contents);
}

/** The tokens of one policy that are out. Each comes back once (GP-01). */
export class Tokens {
  readonly #policy: string;
  readonly #out = new Set<Pinned>();

  constructor(policy: string) {
    this.#policy = policy;
  }

  handOut(pinned: Pinned): Pinned {
    this.#out.add(pinned);
    return pinned;
  }

  /** @throws ContractViolation for a token that is not out */
  takeBack(pinned: Pinned): void {
    if (this.#out.delete(pinned)) return;
    throw new ContractViolation(this.#policy, "unpin", "was given a token that is not out", undefined);
  }
}
