import type { SubjectDefinition } from "../subject/lab-subject.ts";
import { bar } from "./bar.ts";
import { packetRing } from "./packet-ring.ts";

/** What a stock kernel lets user space map beside files. */
export const stockSubjects: readonly SubjectDefinition[] = [packetRing, bar];
