// The public face of @nopage/linux-lab is exported from here.
export type { ArchiveEntry } from "./guest/cpio.ts";
export { type AgentState, type Gone, Guest, GuestLost, type GuestPlan } from "./guest/guest.ts";
export { type Complaint, complaintsIn } from "./guest/kernel-log.ts";
export {
  findKernel,
  type KernelFlavour,
  moduleName,
  type StockKernel,
  stockModule,
} from "./guest/stock-kernel.ts";
export { labRequirements, type Requirement, whyNoLab } from "./requirements.ts";
