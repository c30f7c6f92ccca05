export { HIGHWAY_PATH, highwayDriver } from "./highway-driver.ts";
export type { HighwayOptions } from "./highway-options.ts";
export * from "./ioctl.ts";
export { LoadedHighway } from "./loaded-highway.ts";
export { shownKinds } from "./shown-memory.ts";
