import type { SubjectDefinition } from "../subject/lab-subject.ts";
import { bar } from "./bar.ts";
import { packetRing } from "./packet-ring.ts";
import { perfBuffer } from "./perf-buffer.ts";
import { uring } from "./uring.ts";
import { usbmon } from "./usbmon.ts";
import { vfio } from "./vfio.ts";
import { vgem } from "./vgem.ts";

/** What a stock kernel lets user space map beside files; the last three need Debian's kernel with all drivers. */
export const stockSubjects: readonly SubjectDefinition[] = [
  packetRing,
  perfBuffer,
  uring,
  bar,
  vgem,
  vfio,
  usbmon,
];
