import type { IoRange, MappingBinding, PciFunction, PinningBinding, SpinLock, WaitQueue } from "@nopage/core";
import type { Atomic, Kernel, Sleepable } from "@nopage/core/contract";
import { CardClaim } from "./card-claim.ts";
import type { HighwayStatistics } from "./ioctl.ts";
import type { ShownMemory } from "./shown-memory.ts";
import type { Transfer } from "./transfer.ts";

/** What a device is put together from. */
export interface HighwayParts {
  readonly kernel: Kernel;
  readonly plugged: PciFunction;
  readonly pinning: PinningBinding;
  readonly binding: MappingBinding;
  readonly shown: ShownMemory;
}

/**
 * One card as its driver knows it: the parts, and the state that system calls, the interrupt handler and the worker
 * share. Plain fields are guarded by `lock`, which is taken with interrupts off and held across no copy to or from
 * user memory (AT-03).
 */
export class HighwayDevice {
  readonly kernel: Kernel;
  readonly plugged: PciFunction;
  readonly pinning: PinningBinding;
  readonly binding: MappingBinding;
  readonly shown: ShownMemory;
  readonly lock: SpinLock;
  /** Whose turn it is at the card. Taken before the gate is closed, given back after it was opened. */
  readonly claim: CardClaim;
  /** Where the worker sleeps. */
  readonly work: WaitQueue;
  /** Where threads sleep until a transfer has got further. */
  readonly progress: WaitQueue;
  /** The transfer that has the card. */
  current: Transfer | undefined = undefined;
  /** The transfer that was started last by the process that has the device open. */
  last: Transfer | undefined = undefined;
  isOpen = false;
  /** The card is going, or gone. */
  isGone = false;
  /** The driver as long as it has the card, and whoever has the device open: the last one frees what is shown. */
  users = 1;
  readonly statistics: { -readonly [K in keyof HighwayStatistics]: number } = {
    transfers: 0,
    bytes: 0,
    chunks: 0,
    interrupts: 0,
    aborted: 0,
  };

  constructor({ kernel, plugged, pinning, binding, shown }: HighwayParts) {
    this.kernel = kernel;
    this.plugged = plugged;
    this.pinning = pinning;
    this.binding = binding;
    this.shown = shown;
    this.lock = kernel.sync.spinLock("highway device");
    this.claim = new CardClaim(kernel, this.lock);
    this.work = kernel.sync.waitQueue("a highway transfer to finish");
    this.progress = kernel.sync.waitQueue("the highway transfer");
  }

  /** One user less. */
  *put(): Sleepable<void> {
    const left = yield* this.lock.withIrqsOff(() => this.#dropUser());
    if (left === 0) this.shown.free();
  }

  *#dropUser(): Atomic<number> {
    return --this.users;
  }

  /** BAR0: the registers of `edu`. */
  get registers(): IoRange {
    return this.plugged.windows[0];
  }

  /** BAR1: the measurement region and the driver's own registers. */
  get measurements(): IoRange {
    return this.plugged.windows[1];
  }
}
