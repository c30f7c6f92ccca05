import type { AnyLaw } from "../law.ts";
import { accessLaws } from "./access.ts";
import { aliasingLaws } from "./aliasing.ts";
import { attributeLaws } from "./attributes.ts";
import { protectingLaws } from "./protecting.ts";

/** N. Permissions and flags of areas. */
export const permissionLaws: readonly AnyLaw[] = [
  ...accessLaws,
  ...attributeLaws,
  ...protectingLaws,
  ...aliasingLaws,
];
