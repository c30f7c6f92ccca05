import type { AnyLaw } from "../law.ts";
import { endingLaws } from "./ending.ts";
import { forkLaws } from "./fork.ts";
import { growingLaws } from "./growing.ts";
import { keepingLaws } from "./keeping.ts";
import { largeLeafLaws } from "./large-leaves.ts";
import { mergingLaws } from "./merging.ts";
import { mostAreasLaws } from "./most-areas.ts";
import { moveArgumentLaws } from "./move-arguments.ts";
import { movingLaws } from "./moving.ts";
import { openCloseLaws } from "./open-close.ts";
import { resizingLaws } from "./resizing.ts";
import { shortOfMemoryLaws } from "./short-of-memory.ts";
import { splitLaws } from "./split.ts";
import { unmappingLaws } from "./unmapping.ts";

/** B. The life of an area: open, close, fork, split, mremap and exit. */
export const lifecycleLaws: readonly AnyLaw[] = [
  ...openCloseLaws,
  ...forkLaws,
  ...splitLaws,
  ...movingLaws,
  ...resizingLaws,
  ...keepingLaws,
  ...endingLaws,
  ...moveArgumentLaws,
  ...growingLaws,
  ...mergingLaws,
  ...shortOfMemoryLaws,
  ...mostAreasLaws,
  ...largeLeafLaws,
  ...unmappingLaws,
].toSorted((one, other) => one.id.localeCompare(other.id));
