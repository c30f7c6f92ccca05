import { isGenerator, type KernelModule, type MappingBinding } from "@nopage/core";
import {
  type Atomic,
  type BackingKind,
  ENOENT,
  type LoadedDriver,
  type Quarantined,
  type Sleepable,
} from "@nopage/core/contract";
import { type HighwayCard, highwayIn } from "../card/highway-card.ts";
import type { HighwayService } from "./file-operations.ts";
import type { HighwayStatistics } from "./ioctl.ts";
import type { Resources } from "./resources.ts";

/** The Highway driver at work on one card. */
export class LoadedHighway implements LoadedDriver {
  readonly path: string;
  readonly module: KernelModule;
  readonly #service: HighwayService;
  readonly #resources: Resources;

  constructor(path: string, module: KernelModule, service: HighwayService, resources: Resources) {
    this.path = path;
    this.module = module;
    this.#service = service;
    this.#resources = resources;
  }

  /** The card that it drives; undefined when somebody else's model of it is in the slot. */
  get card(): HighwayCard | undefined {
    return highwayIn(this.#service.device.plugged);
  }

  get binding(): MappingBinding {
    return this.#service.device.binding;
  }

  /** What mmap shows. */
  get backing(): BackingKind {
    return this.#service.device.shown.memory.kind;
  }

  /** Measurement interfaces that the card reported. */
  get interfaces(): number {
    return this.#service.interfaces;
  }

  /** Pages that the pinning policy keeps of processes that are gone. */
  get quarantined(): Quarantined {
    return this.#service.device.pinning.quarantined?.() ?? { tokens: 0, pages: 0 };
  }

  get statistics(): HighwayStatistics {
    return { ...this.#service.device.statistics };
  }

  /** `module_exit`: 0; -EBUSY while the device is open or mapped; -ENOENT when it is out already. */
  *unload(): Sleepable<number> {
    if (!this.module.isLoaded) return -ENOENT;
    const refused = this.module.unload();
    if (refused !== 0) return refused;
    yield* this.#resources.release();
    return 0;
  }

  /**
   * The card was pulled out (the bus's `remove`): what runs is stopped, mappings go for good, and system calls answer
   * -ENODEV from now on. `unload` is still to come.
   */
  *remove(): Sleepable<void> {
    const { device, acquisition } = this.#service;
    yield* device.lock.withIrqsOff(() => this.#markGone());
    yield* acquisition.stop();
    const released = device.pinning.releaseQuarantine?.();
    if (isGenerator(released)) yield* released;
    yield* device.binding.remove();
  }

  *#markGone(): Atomic<void> {
    this.#service.device.isGone = true;
  }
}
