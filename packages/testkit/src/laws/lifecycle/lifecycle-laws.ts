import type { AnyLaw } from "../law.ts";
import { endingLaws } from "./ending.ts";
import { forkLaws } from "./fork.ts";
import { movingLaws } from "./moving.ts";
import { openCloseLaws } from "./open-close.ts";
import { resizingLaws } from "./resizing.ts";
import { splitLaws } from "./split.ts";

/** B. The life of an area: open, close, fork, split, mremap and exit. */
export const lifecycleLaws: readonly AnyLaw[] = [
  ...openCloseLaws,
  ...forkLaws,
  ...splitLaws,
  ...movingLaws,
  ...resizingLaws,
  ...endingLaws,
].toSorted((one, other) => one.id.localeCompare(other.id));
