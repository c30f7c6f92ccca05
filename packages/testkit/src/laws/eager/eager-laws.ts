import type { AnyLaw } from "../law.ts";
import { bareFrameLaws } from "./bare-frames.ts";
import { insertLaws } from "./inserting.ts";
import { remapLaws } from "./remapping.ts";

/** D. Entries that are made before anybody touches their pages. */
export const eagerLaws: readonly AnyLaw[] = [...remapLaws, ...bareFrameLaws, ...insertLaws];
