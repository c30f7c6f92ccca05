import {
  type Atomic,
  EAGAIN,
  EFAULT,
  EIO,
  ENODEV,
  type Sleepable,
  type UserAddress,
} from "@nopage/core/contract";
import type { DmaControl } from "./dma-control.ts";
import type { HighwayDevice } from "./highway-device.ts";
import type { Transfer, TransferStage } from "./transfer.ts";

/** How often a page behind a closed gate is tried: the gate may be the card's own, which opens after the transfer. */
const MOST_TRIES = 10;
const PAUSE_NS = 1000;

/**
 * The kernel thread that does what the interrupt handler may not, because it sleeps: it makes the translations that the
 * card asks for, and finishes transfers: it gives the pages back, then opens the gate.
 *
 * A file's release waits for the first half only. The second half may drop the last use of a dying address space, and
 * with its areas the last use of the very file: the release would then run in this thread, and wait for itself.
 */
export class TransferWorker {
  readonly #device: HighwayDevice;
  readonly #dma: DmaControl;
  /** Guarded by the device's lock. */
  #state: "running" | "stopping" | "ended" = "running";

  constructor(device: HighwayDevice, dma: DmaControl) {
    this.#device = device;
    this.#dma = dma;
  }

  /** Starts the thread: 0, or -ENOMEM. */
  start(): number {
    const task = this.#device.kernel.time.spawnKernelThread("highway worker", () => this.#run(), "daemon");
    return typeof task === "number" ? task : 0;
  }

  /** Ends the thread, after what it is at (`kthread_stop`). */
  *stop(): Sleepable<void> {
    const { lock, work, progress } = this.#device;
    yield* lock.withIrqsOff(() => this.#become("stopping"));
    yield* work.wakeAll();
    yield* progress.waitUntil(() => lock.withIrqsOff(() => this.#hasEnded()), "uninterruptible");
  }

  *#run(): Sleepable<void> {
    const { lock, work, progress } = this.#device;
    for (;;) {
      yield* work.waitUntil(() => lock.withIrqsOff(() => this.#hasWork()), "uninterruptible");
      // Only this thread takes a stopped transfer away.
      const transfer = this.#device.current;
      if (transfer?.stage === "faulted") yield* this.#populate(transfer);
      else if (transfer?.stage === "stopped") yield* this.#finish(transfer);
      else break;
    }
    yield* lock.withIrqsOff(() => this.#become("ended"));
    yield* progress.wakeAll();
  }

  /** Serves a device fault (`iommu_report_device_fault`): the sleeping form, since a page may have to be faulted in. */
  *#populate(transfer: Transfer): Sleepable<void> {
    const { follower } = transfer.pinned;
    const address = transfer.position as UserAddress;
    let result = follower === undefined ? -EFAULT : -EAGAIN;
    for (let tries = 0; follower !== undefined && result === -EAGAIN && tries < MOST_TRIES; tries++) {
      if (tries > 0) yield* this.#device.kernel.time.sleep(PAUSE_NS);
      result = yield* follower.populate(address, "write");
    }
    yield* this.#dma.goOnAfterFault(transfer, result === -EAGAIN ? -EFAULT : result);
  }

  *#finish(transfer: Transfer): Sleepable<void> {
    const { lock, pinning, plugged, shown, binding, progress, claim } = this.#device;
    // The device's way to the pages goes first, then what keeps them.
    plugged.dma.unmap(transfer.pinned);
    yield* pinning.unpin(transfer.pinned, transfer.done > 0 ? "dirty" : "clean");
    yield* lock.withIrqsOff(() => this.#account(transfer));
    yield* progress.wakeAll();
    if (!this.#device.isGone) yield* shown.refresh();
    yield* binding.resume();
    yield* lock.withIrqsOff(() => this.#advance(transfer, "over"));
    yield* progress.wakeAll();
    yield* claim.giveBack();
  }

  // All below: with the lock held.

  *#hasWork(): Atomic<boolean> {
    const stage = this.#device.current?.stage;
    return this.#state === "stopping" || stage === "faulted" || stage === "stopped";
  }

  *#hasEnded(): Atomic<boolean> {
    return this.#state === "ended";
  }

  *#become(state: "stopping" | "ended"): Atomic<void> {
    this.#state = state;
  }

  *#account(transfer: Transfer): Atomic<void> {
    const { statistics, isGone } = this.#device;
    if (isGone) transfer.result = -ENODEV;
    else
      transfer.result = transfer.done === 0 && transfer.isAborted ? transfer.failure || -EIO : transfer.done;
    statistics.transfers++;
    statistics.bytes += transfer.done;
    if (transfer.isAborted && transfer.done < transfer.request.bytes) statistics.aborted++;
    yield* this.#advance(transfer, "settled");
  }

  *#advance(transfer: Transfer, stage: TransferStage): Atomic<void> {
    transfer.stage = stage;
    if (stage === "over") this.#device.current = undefined;
  }
}
