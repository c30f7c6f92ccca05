import type { AnyLaw } from "./law.ts";

/** M. Modules and devices that go. */
export const moduleLaws: readonly AnyLaw[] = [];
