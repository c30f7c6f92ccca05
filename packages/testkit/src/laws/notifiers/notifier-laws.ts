import type { AnyLaw } from "../law.ts";
import { populatingLaws } from "./populating.ts";
import { windowLaws } from "./windows.ts";

/** K. Following a process's page tables. */
export const notifierLaws: readonly AnyLaw[] = [...windowLaws, ...populatingLaws];
