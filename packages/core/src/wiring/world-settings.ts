import type { MachineOptions } from "../machine-options.ts";

/** What a world is composed from: names of registered plugins, and the machine that they run on. */
export interface WorldSettings {
  readonly strategy: string;
  readonly pinning: string;
  readonly device: DeviceSettings;
  readonly machine?: MachineOptions;
}

/** Which driver is loaded, and with what. */
export interface DeviceSettings {
  readonly name: string;
  /** Handed to the driver as they are; what they may be is the driver's affair. */
  readonly options?: unknown;
}
