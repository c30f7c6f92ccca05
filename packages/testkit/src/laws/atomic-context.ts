import type { AnyLaw } from "./law.ts";

/** P. Locks and contexts. */
export const atomicLaws: readonly AnyLaw[] = [];
