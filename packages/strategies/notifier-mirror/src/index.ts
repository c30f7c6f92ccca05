// The public face of @nopage/notifier-mirror is exported from here.
export { type DeviceEntry, DeviceMmu } from "./device-mmu.ts";
export { IntervalFollower } from "./interval-follower.ts";
export { intervalMirror } from "./interval-mirror.ts";
export { ListFollower } from "./list-follower.ts";
export { MirroredMemory, type MirrorStatistics } from "./mirrored-memory.ts";
export { noneInterval, noneNotifier } from "./none-notifier.ts";
export { notifierMirror } from "./notifier-mirror.ts";
