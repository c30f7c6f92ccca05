import type { AnyLaw } from "../law.ts";
import { ageingLaws } from "./ageing.ts";
import { callbackLaws } from "./callbacks.ts";
import { lifetimeLaws } from "./lifetime.ts";
import { populatingLaws } from "./populating.ts";
import { windowLaws } from "./windows.ts";

/** K. Following a process's page tables, in the order of their ids. */
export const notifierLaws: readonly AnyLaw[] = [
  ...windowLaws,
  ...populatingLaws,
  ...callbackLaws,
  ...lifetimeLaws,
  ...ageingLaws,
].sort((one, other) => (one.id < other.id ? -1 : 1));
