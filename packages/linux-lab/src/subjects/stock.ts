import type { SubjectDefinition } from "../subject/lab-subject.ts";
import { bar } from "./bar.ts";
import { packetRing } from "./packet-ring.ts";
import { perfBuffer } from "./perf-buffer.ts";
import { uring } from "./uring.ts";
import { uringBuffers } from "./uring-buffers.ts";
import { usbmon } from "./usbmon.ts";
import { vfio } from "./vfio.ts";
import { vgem } from "./vgem.ts";

/**
 * What a stock kernel lets user space map beside files, or has its pages pinned by; the last three need Debian's kernel with all
 * drivers.
 */
export const stockSubjects: readonly SubjectDefinition[] = [
  packetRing,
  perfBuffer,
  uring,
  uringBuffers,
  bar,
  vgem,
  vfio,
  usbmon,
];
