import type { BackingKind } from "./backing.ts";
import type { MaySleep, Sleepable } from "./execution.ts";
import type { Kernel } from "./kernel.ts";
import type { PinningPolicy } from "./pinning-policy.ts";
import type { MappingStrategy } from "./strategy.ts";

/** What a device driver is: constant data, every field written out. */
export interface DeviceDriverSupports {
  /** The kinds of memory that it shows through its mapping: the strategy must be able to show one of them. */
  readonly backing: readonly BackingKind[];
  /** Whether it moves data by DMA into pinned user pages. */
  readonly dma: "none" | "pinned-user-pages";
}

/** What a driver is loaded with. */
export interface DriverContext<O> {
  readonly kernel: Kernel;
  readonly strategy: MappingStrategy;
  readonly pinning: PinningPolicy;
  readonly options: O;
}

/** A driver at work on one device. */
export interface LoadedDriver {
  /** The name to open, such as `/dev/highway0`. */
  readonly path: string;
  /**
   * Takes the driver out (`module_exit`): 0, or a negated errno such as -EWOULDBLOCK while its device is open or mapped, with
   * nothing changed.
   */
  unload(): Sleepable<number>;
}

/** A driver for a kind of device: a plugin, registered by name. */
export interface DeviceDriver<O = unknown, L extends LoadedDriver = LoadedDriver> {
  readonly name: string;
  readonly supports: DeviceDriverSupports;
  /** The one kind of memory that these options insist on; undefined when the strategy may choose. The options are unchecked. */
  shows?(options: unknown): BackingKind | undefined;
  /** Probes the device and makes it openable; or a negated errno, with nothing left behind. */
  load(context: DriverContext<O>): MaySleep<L | number>;
}

/** Declares a driver. */
export function defineDriver<D extends DeviceDriver<never>>(driver: D): D {
  return driver;
}
