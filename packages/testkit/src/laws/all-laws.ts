import type { AnyLaw } from "./law.ts";
import { lookUpLaws } from "./look-up.ts";

/** Every law, family by family. */
export const allLaws: readonly AnyLaw[] = [...lookUpLaws];
