import type { AnyLaw } from "../law.ts";
import { insertionLaws } from "./insertion.ts";
import { reachLaws } from "./reach.ts";

/** E. Mappings of frame numbers that nobody counts. */
export const bareFrameLaws: readonly AnyLaw[] = [...insertionLaws, ...reachLaws];
