export {
  type AcquireResult,
  type AcquireWorld,
  acquire,
  type Fingerprint,
} from "./acquire.ts";
export { type AcquireOptions, type AcquireSettings, settleAcquisition } from "./acquire-options.ts";
