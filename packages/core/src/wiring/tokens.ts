import type { DeviceDriver, LoadedDriver } from "../contract/device-driver.ts";
import type { Kernel } from "../contract/kernel.ts";
import type { PinningPolicy } from "../contract/pinning-policy.ts";
import type { MappingStrategy } from "../contract/strategy.ts";
import type { Machine } from "../machine.ts";
import type { Closers } from "./closers.ts";
import type { Stock } from "./stock.ts";
import type { World } from "./world.ts";
import type { WorldSettings } from "./world-settings.ts";

declare const held: unique symbol;

/** A name in a container, with the type of what stands under it. */
export type Token<T> = symbol & { readonly [held]?: T };

// From the global symbol registry, so that a second copy of this module still means the same things.
function token<T>(name: string): Token<T> {
  return Symbol.for(`nopage/${name}`) as Token<T>;
}

/** Everything that a world's container holds. */
export const tokens = Object.freeze({
  settings: token<WorldSettings>("settings"),
  closers: token<Closers>("closers"),
  machine: token<Machine>("machine"),
  kernel: token<Kernel>("kernel"),
  strategy: token<MappingStrategy>("strategy"),
  pinning: token<PinningPolicy>("pinning"),
  driver: token<DeviceDriver>("driver"),
  /** What the machine held before the driver was loaded. */
  stock: token<Stock>("stock"),
  loaded: token<LoadedDriver>("loaded"),
  world: token<World>("world"),
});
