import type { Atomic } from "@nopage/core/contract";
import {
  DMA_INTERRUPT,
  DMA_START,
  DMA_TO_MEMORY,
  DMA_WINDOW,
  edu,
  INTERRUPT_DMA,
} from "../card/edu-registers.ts";
import { controller } from "../card/measurement-registers.ts";
import type { HighwayDevice } from "./highway-device.ts";
import type { Transfer } from "./transfer.ts";

const ABORT = 1;
/** What a register reads that is not there. */
const ALL_ONES = 0xffff_ffff;

/**
 * Drives a transfer through the card, a chunk at a time: the first by who starts it, each further one by the interrupt
 * handler, until there is no next; then the worker is woken.
 */
export class DmaControl {
  readonly #device: HighwayDevice;

  constructor(device: HighwayDevice) {
    this.#device = device;
  }

  /** Starts a transfer. The card is the caller's, the mapping revoked. */
  *start(transfer: Transfer): Atomic<void> {
    yield* this.#device.lock.withIrqsOff(() => this.#begin(transfer));
  }

  /** Has the card stop after its current burst, if a transfer runs. */
  *abort(): Atomic<void> {
    yield* this.#device.lock.withIrqsOff(() => this.#stop());
  }

  /** Goes on after a device fault: `populated` is 0, or the errno that ends the transfer. */
  *goOnAfterFault(transfer: Transfer, populated: number): Atomic<void> {
    yield* this.#device.lock.withIrqsOff(() => this.#restart(transfer, populated));
  }

  /** The same for a card that may be out of its slot already: then no interrupt will say that it has stopped. */
  *giveUp(): Atomic<void> {
    yield* this.#device.lock.withIrqsOff(() => this.#stopForGood());
  }

  /** The interrupt handler. */
  *handleInterrupt(): Atomic<"handled" | "not-mine"> {
    const { kernel, registers, lock } = this.#device;
    const status = yield* kernel.mmio.read(registers, edu.interruptStatus, 4);
    if (status === 0 || status === ALL_ONES) return "not-mine";
    yield* kernel.mmio.write(registers, edu.interruptAcknowledge, 4, status);
    yield* lock.withIrqsOff(() => this.#serve(status));
    return "handled";
  }

  // All below: with the lock held.

  *#begin(transfer: Transfer): Atomic<void> {
    this.#device.current = transfer;
    this.#device.last = transfer;
    if (this.#device.isGone) transfer.isAborted = true;
    this.#device.plugged.dma.translator = transfer.pinned.follower;
    yield* this.#goOn(transfer);
  }

  *#stop(): Atomic<void> {
    const { current, kernel, measurements } = this.#device;
    if (current?.stage === "faulted") current.isAborted = true;
    if (current?.stage !== "running") return;
    current.isAborted = true;
    yield* kernel.mmio.write(measurements, controller.abort, 4, ABORT);
  }

  *#stopForGood(): Atomic<void> {
    const { kernel, registers } = this.#device;
    yield* this.#stop();
    const identification = yield* kernel.mmio.read(registers, edu.identification, 4);
    const { current } = this.#device;
    if (identification === ALL_ONES && current?.stage === "running") yield* this.#rest(current, "stopped");
  }

  *#serve(status: number): Atomic<void> {
    const { current, kernel, measurements, statistics } = this.#device;
    statistics.interrupts++;
    if ((status & INTERRUPT_DMA) === 0 || current?.stage !== "running") return;
    const moved = yield* kernel.mmio.read(measurements, controller.transferred, 4);
    // More than it was told to: that is no card any more, and `remove` is on its way.
    if (moved > current.chunk) return;
    current.done += moved;
    current.chunk -= moved;
    current.chunkStart += moved;
    if (current.chunk > 0 && !current.isAborted) {
      const hasFaulted = (yield* kernel.mmio.read(measurements, controller.fault, 4)) !== 0;
      if (hasFaulted) return yield* this.#rest(current, "faulted");
      current.isAborted = true;
    }
    yield* this.#goOn(current);
  }

  *#restart(transfer: Transfer, populated: number): Atomic<void> {
    transfer.stage = "running";
    transfer.failure = populated;
    if (populated !== 0) transfer.isAborted = true;
    if (transfer.isAborted) yield* this.#goOn(transfer);
    else yield* this.#move(transfer, transfer.position);
  }

  /** The card is at rest, and the worker's turn has come. */
  *#rest(transfer: Transfer, stage: "faulted" | "stopped"): Atomic<void> {
    transfer.stage = stage;
    yield* this.#device.work.wakeAll();
    yield* this.#device.progress.wakeAll();
  }

  /** Starts the next chunk, or hands the transfer to the worker. */
  *#goOn(transfer: Transfer): Atomic<void> {
    if (!transfer.isAborted && (yield* this.#startChunk(transfer))) return;
    yield* this.#rest(transfer, "stopped");
  }

  /** Whether there was one to start: not at the end of the buffer, nor of the recording. */
  *#startChunk(transfer: Transfer): Atomic<boolean> {
    const { kernel, measurements, statistics } = this.#device;
    const { mmio } = kernel;
    const fragment = transfer.nextFragment();
    if (fragment === undefined) return false;
    yield* mmio.write(measurements, controller.select, 4, transfer.request.interface);
    yield* mmio.write(measurements, controller.latch, 4, fragment.bytes);
    const latched = yield* mmio.read(measurements, controller.latched, 4);
    if (latched > fragment.bytes) transfer.isAborted = true;
    if (latched === 0 || transfer.isAborted) return false;
    transfer.chunk = latched;
    transfer.chunkStart = 0;
    statistics.chunks++;
    yield* this.#move(transfer, fragment.address);
    return true;
  }

  /** Has the card move what is left of the chunk. */
  *#move(transfer: Transfer, address: number): Atomic<void> {
    const { kernel, registers } = this.#device;
    const { mmio } = kernel;
    const command = DMA_START | DMA_TO_MEMORY | DMA_INTERRUPT | transfer.addressing;
    yield* mmio.write64(registers, edu.dmaSource, BigInt(DMA_WINDOW + transfer.chunkStart));
    yield* mmio.write64(registers, edu.dmaDestination, BigInt(address));
    yield* mmio.write64(registers, edu.dmaCount, BigInt(transfer.chunk));
    yield* mmio.write(registers, edu.dmaCommand, 4, command);
  }
}
