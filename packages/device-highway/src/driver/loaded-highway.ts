import type { KernelModule, MappingBinding, PciFunction } from "@nopage/core";
import type { Atomic, BackingKind, LoadedDriver, Quarantined, Sleepable } from "@nopage/core/contract";
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

  /** The slot that the card is in, or was. */
  get slot(): PciFunction {
    return this.#service.device.plugged;
  }

  /** The card that it drives; undefined when somebody else's model of it is in the slot. */
  get card(): HighwayCard | undefined {
    return highwayIn(this.slot);
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
    return this.#service.device.pinning.quarantined();
  }

  get statistics(): HighwayStatistics {
    return { ...this.#service.device.statistics };
  }

  /**
   * `rmmod`: 0; -EWOULDBLOCK while the device is open or mapped, -EBUSY while somebody else is unloading it, -ENOENT when
   * it is out already, all with nothing changed.
   */
  *unload(): Sleepable<number> {
    const refused = this.module.beginUnload();
    if (refused !== 0) return refused;
    yield* this.#resources.release();
    this.module.finishUnload();
    return 0;
  }

  /**
   * The bus's `remove`: the card is going, or was pulled out already. What is mapped goes for good and whoever waits
   * wakes to SIGBUS; a transfer is stopped and its pages are given back; calls answer -ENODEV from now on. Files
   * and mappings live on: the last of them frees what was shown. `unload` is still to come.
   */
  *remove(): Sleepable<void> {
    const { device, dma } = this.#service;
    const isFirst = yield* device.lock.withIrqsOff(() => this.#markGone());
    yield* device.binding.remove();
    yield* dma.giveUp();
    yield* device.claim.waitUntilFree();
    yield* device.plugged.interrupt.free();
    yield* device.pinning.releaseQuarantine();
    if (isFirst) yield* device.put();
  }

  /** Whether nobody had said so before. With the lock held. */
  *#markGone(): Atomic<boolean> {
    const { device } = this.#service;
    const isFirst = !device.isGone;
    device.isGone = true;
    return isFirst;
  }
}
