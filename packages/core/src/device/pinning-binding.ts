import { EINVAL, MAX_ERRNO } from "../contract/errno.ts";
import type { MaySleep, Sleepable } from "../contract/execution.ts";
import type { Kernel } from "../contract/kernel.ts";
import type {
  PinAccess,
  Pinned,
  PinningHooks,
  PinningPolicy,
  Quarantined,
} from "../contract/pinning-policy.ts";
import type { Pfn, UserAddress } from "../contract/units.ts";
import type { Machine } from "../machine.ts";
import { callHook, reportBreach, THREW } from "../mm/call-hook.ts";
import type { Mm } from "../mm/mm.ts";

/** What a driver asked a policy for. */
interface Wanted {
  readonly mm: Mm;
  readonly start: UserAddress;
  readonly pages: number;
  readonly access: PinAccess;
}

/**
 * One device's pinned pages by one policy: what a driver calls instead of the policy. It checks each token before the
 * driver hands pages to a device, since a device would write wherever the token says; and what the policy throws ends
 * here, reported by its name and hook.
 */
export class PinningBinding {
  readonly policy: PinningPolicy;
  readonly #machine: Machine;
  readonly #hooks: PinningHooks;
  readonly #out = new Set<Pinned>();

  constructor(machine: Machine, kernel: Kernel, policy: PinningPolicy) {
    this.#machine = machine;
    this.policy = policy;
    this.#hooks = policy.create(kernel);
  }

  /**
   * The policy's `pin`. What a policy holds whose token is no token cannot be given back by anybody, so nothing is
   * tried.
   *
   * @returns the token; the policy's errno; -EINVAL when it breaks its contract, which is reported
   */
  *pin(
    mm: Mm,
    start: UserAddress,
    pages: number,
    access: PinAccess,
    stop?: () => MaySleep<void>,
  ): Sleepable<Pinned | number> {
    const answer = yield* this.#call("pin", () => this.#hooks.pin(mm, start, pages, access, stop));
    if (answer === THREW) return -EINVAL;
    const wrong = this.#whatIsWrong(answer, { mm, start, pages, access });
    if (wrong !== undefined) {
      reportBreach(this.#machine, { plugin: this.policy.name, hook: "pin" }, `answered ${wrong}`, undefined);
      return -EINVAL;
    }
    if (typeof answer !== "number") this.#out.add(answer);
    return answer;
  }

  /** The policy's `unpin`: once for each token. */
  *unpin(pinned: Pinned, contents: "clean" | "dirty"): Sleepable<void> {
    this.#out.delete(pinned);
    yield* this.#call("unpin", () => this.#hooks.unpin(pinned, contents));
  }

  /** What the policy keeps of processes that are gone. */
  quarantined(): Quarantined {
    return this.#hooks.quarantined?.() ?? { tokens: 0, pages: 0 };
  }

  /** The device cannot touch memory any more: what is in quarantine is freed. */
  *releaseQuarantine(): Sleepable<void> {
    yield* this.#call("releaseQuarantine", () => this.#hooks.releaseQuarantine?.());
  }

  *#call<T>(hook: string, call: () => MaySleep<T>): Sleepable<T | typeof THREW> {
    return yield* callHook(this.#machine, { plugin: this.policy.name, hook }, call);
  }

  /** What is wrong with an answer of `pin`, as the end of "it answered ..."; undefined when nothing is. */
  #whatIsWrong(answer: unknown, wanted: Wanted): string | undefined {
    if (typeof answer === "number") {
      const isErrno = Number.isInteger(answer) && answer < 0 && answer >= -MAX_ERRNO;
      return isErrno ? undefined : `${answer} instead of a token or a negated errno`;
    }
    if (typeof answer !== "object" || answer === null) {
      return `${String(answer)} instead of a token or a negated errno`;
    }
    const token: { readonly [K in keyof Pinned]?: unknown } = answer;
    const { mm, start, access } = wanted;
    if (token.mm !== mm) return `with a token of another address space than ${mm.name}`;
    if (token.start !== start) {
      return `with a token from ${inHex(token.start)} on instead of ${inHex(start)}`;
    }
    if (token.access !== access) {
      return `with a token for access ${String(token.access)} instead of ${access}`;
    }
    if (!Array.isArray(token.pages)) return `with a token whose pages are ${String(token.pages)}, no list`;
    if (this.#out.has(answer as Pinned)) return "with a token that is out already";
    return this.#whatIsWrongWithPages(token.pages, token.follower, wanted.pages);
  }

  #whatIsWrongWithPages(list: readonly unknown[], follower: unknown, wanted: number): string | undefined {
    if (follower !== undefined)
      return isFollower(follower) ? undefined : "with a follower that cannot follow";
    if (list.length !== wanted) return `with a token of ${list.length} pages instead of ${wanted}`;
    const at = list.findIndex((page) => !this.#isPageInUse(page));
    return at < 0 ? undefined : `with ${String(list[at])} as page ${at}, which is no page in use`;
  }

  #isPageInUse(page: unknown): boolean {
    const { frames } = this.#machine.memory;
    if (typeof page !== "number" || !Number.isInteger(page)) return false;
    const pfn = page as Pfn;
    return frames.hasPage(pfn) && frames.isAllocated(pfn);
  }
}

function isFollower(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return ["translate", "populate", "detach"].every(
    (name) => name in value && typeof Reflect.get(value, name) === "function",
  );
}

function inHex(address: unknown): string {
  return typeof address === "number" ? `0x${address.toString(16)}` : String(address);
}
