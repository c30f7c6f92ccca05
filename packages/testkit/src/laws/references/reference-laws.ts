import type { AnyLaw } from "../law.ts";
import { chargeLaws } from "./charges.ts";
import { referenceCountLaws } from "./counts.ts";
import { lockingLaws } from "./locking.ts";

/** G. References, resident pages, and what is charged to whom. */
export const referenceLaws: readonly AnyLaw[] = [...referenceCountLaws, ...chargeLaws, ...lockingLaws];
