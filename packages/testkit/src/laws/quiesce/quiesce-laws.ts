import type { AnyLaw } from "../law.ts";
import { makingLaws } from "./making.ts";
import { promiseLaws } from "./promise.ts";
import { waiterLaws } from "./waiters.ts";

/** J. Quiesce during DMA (mail of 1998), and threads that wait meanwhile. */
export const quiesceLaws: readonly AnyLaw[] = [...promiseLaws, ...waiterLaws, ...makingLaws];
