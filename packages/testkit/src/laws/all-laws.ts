import type { AnyLaw } from "./law.ts";
import { lookUpLaws } from "./look-up.ts";
import { mmapLaws } from "./mmap/mmap-laws.ts";
import { quiesceLaws } from "./quiesce/quiesce-laws.ts";

/** Every law, family by family. */
export const allLaws: readonly AnyLaw[] = [...mmapLaws, ...lookUpLaws, ...quiesceLaws];
