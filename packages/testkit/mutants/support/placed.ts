import type { Kernel, Machine } from "@nopage/core";
import { type Contender, contendersOf, type Plugin } from "#src/model/contender";
import type { Setup } from "../mutant.ts";

/** A plugin as it is. */
export function plain(plugin: Plugin): Setup {
  return { contenders: contendersOf(plugin) };
}

/**
 * A plugin on a machine or under a driver in which something was exchanged before the plugin was put to work.
 *
 * @param spoil changes what the machine or the kernel holds
 */
export function spoiled(plugin: Plugin, spoil: (machine: Machine, kernel: Kernel) => void): Setup {
  return {
    contenders: contendersOf(plugin).map(
      (contender): Contender => ({
        ...contender,
        place(machine, kernel) {
          spoil(machine, kernel);
          return contender.place(machine, kernel);
        },
      }),
    ),
  };
}
