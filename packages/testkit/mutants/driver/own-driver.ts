import {
  type BackingMemory,
  type BackingShape,
  type Kernel,
  type Machine,
  MappingBinding,
  type MappingStrategy,
  type Sleepable,
} from "@nopage/core";
import { frames, pages, remapped } from "../mapping/right-strategies.ts";
import type { Setup } from "../mutant.ts";
import { plain, spoiled } from "../support/placed.ts";

/** A driver that does not keep to the order that `MappingBinding` keeps for it. */
export type Driver = new (
  machine: Machine,
  kernel: Kernel,
  strategy: MappingStrategy,
  shape: BackingShape,
) => MappingBinding;

export function driven(strategy: MappingStrategy, Wrong: Driver): Setup {
  return spoiled(strategy, (machine, kernel) => {
    kernel.bind = (bound, shape) => new Wrong(machine, kernel, bound, shape);
  });
}

export const ofPages = { kind: "driver", schedule: "sequential", right: plain(pages) } as const;
export const ofFrames = { kind: "driver", schedule: "sequential", right: plain(frames) } as const;
/** Registers of a device, which are one run of frames. */
export const registers = {
  ...remapped,
  supports: { ...remapped.supports, backing: ["pfn-run"], privateWritable: ["pfn-run"] },
} as const;

export const ofRegisters = { kind: "driver", schedule: "sequential", right: plain(registers) } as const;
export const ofRemapped = { kind: "driver", schedule: "sequential", right: plain(remapped) } as const;

/** A driver's way to the core, with the pieces that a wrong one puts together otherwise. */
export class Own extends MappingBinding {
  protected readonly kernel: Kernel;
  protected readonly machine: Machine;

  constructor(machine: Machine, kernel: Kernel, strategy: MappingStrategy, shape: BackingShape) {
    super(machine, kernel, strategy, shape);
    this.kernel = kernel;
    this.machine = machine;
  }

  protected *zap(first = 0, pages = 0): Sleepable<void> {
    yield* this.kernel.mappings.unmapMappingRange(this.backing.mapping, first, pages, "shared-only");
  }

  protected exchange(memory: BackingMemory, pages: number): void {
    Object.assign(this.backing, { memory, pages });
  }
}
