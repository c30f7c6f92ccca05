import type { AnyLaw } from "../law.ts";

/** L. Pinned pages. */
export const pinLaws: readonly AnyLaw[] = [];
