import type { AnyLaw } from "../law.ts";
import { forkLaws } from "./fork.ts";
import { openCloseLaws } from "./open-close.ts";
import { splitLaws } from "./split.ts";

/** B. The life of an area: open, close, fork, split, mremap and exit. */
export const lifecycleLaws: readonly AnyLaw[] = [...openCloseLaws, ...forkLaws, ...splitLaws];
