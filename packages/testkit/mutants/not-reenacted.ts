import type { ViolationKind } from "@nopage/core";

/** A bug of the list that no mutant re-enacts, and why. */
export interface NotReenacted {
  readonly bug: string;
  readonly reason: string;
}

/** Every bug of the list without a mutant of its own. */
export const notReenacted: readonly NotReenacted[] = [
  {
    bug: "B33",
    reason:
      "a walk of the reverse map meets the old area before the new one, so that without the lock nothing is missed: tried, and it survived 200 orders of RV-03",
  },
  { bug: "B35", reason: "the model has no areas that grow downwards at a fault, as a stack does" },
  {
    bug: "B44",
    reason:
      "the last use is dropped in a callback only when the process ends while that runs; MN-17 makes such a follower itself and asks for the report",
  },
];

/** Laws that no mutant fails yet, in the order of the laws, and why. */
export const unfailedLaws: readonly { readonly law: string; readonly reason: string }[] = [];

/** Sanitizers that no mutant sets off yet, and why. */
export const unfailedSanitizers: readonly { readonly kind: ViolationKind; readonly reason: string }[] = [
  {
    kind: "device-rule",
    reason:
      "only a model of a device reports it, as the card does for registers in use during DMA; the laws use none",
  },
];
