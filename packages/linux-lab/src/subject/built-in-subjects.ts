import { stockSubjects } from "../subjects/stock.ts";
import { twins } from "../subjects/twins.ts";
import type { SubjectDefinition } from "./lab-subject.ts";
import { memfd } from "./memfd.ts";

/** The subjects that the lab brings, in the order in which reports show them. */
export const builtInSubjects: readonly SubjectDefinition[] = [memfd, ...stockSubjects, ...twins];
