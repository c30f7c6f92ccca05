import type { AnyLaw } from "../law.ts";
import { accessLaws } from "./accesses.ts";
import { handlerLaws } from "./handlers.ts";
import { resultLaws } from "./results.ts";
import { waitingLaws } from "./waiting.ts";
import { hookLaws } from "./wrong-hooks.ts";

/** C. What a fault's result means, and what the thread sees of it. */
export const faultLaws: readonly AnyLaw[] = [
  ...resultLaws,
  ...handlerLaws,
  ...accessLaws,
  ...waitingLaws,
  ...hookLaws,
];
