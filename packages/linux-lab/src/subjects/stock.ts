import type { SubjectDefinition } from "../subject/lab-subject.ts";
import { bar } from "./bar.ts";
import { packetRing } from "./packet-ring.ts";
import { vgem } from "./vgem.ts";

/** What a stock kernel lets user space map beside files; those at the end need Debian's kernel with all drivers. */
export const stockSubjects: readonly SubjectDefinition[] = [packetRing, bar, vgem];
