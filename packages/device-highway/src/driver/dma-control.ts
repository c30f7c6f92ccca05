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

  /** The interrupt handler. */
  *handleInterrupt(): Atomic<"handled" | "not-mine"> {
    const { kernel, registers, lock } = this.#device;
    const status = yield* kernel.mmio.read(registers, edu.interruptStatus, 4);
    if (status === 0) return "not-mine";
    yield* kernel.mmio.write(registers, edu.interruptAcknowledge, 4, status);
    yield* lock.withIrqsOff(() => this.#serve(status));
    return "handled";
  }

  // All below: with the lock held.

  *#begin(transfer: Transfer): Atomic<void> {
    this.#device.current = transfer;
    this.#device.last = transfer;
    yield* this.#goOn(transfer);
  }

  *#stop(): Atomic<void> {
    const { current, kernel, measurements } = this.#device;
    if (current?.stage !== "running") return;
    current.isAborted = true;
    yield* kernel.mmio.write(measurements, controller.abort, 4, ABORT);
  }

  *#serve(status: number): Atomic<void> {
    const { current, kernel, measurements, statistics } = this.#device;
    statistics.interrupts++;
    if ((status & INTERRUPT_DMA) === 0 || current?.stage !== "running") return;
    const moved = yield* kernel.mmio.read(measurements, controller.transferred, 4);
    current.done += moved;
    if (moved < current.chunk) current.isAborted = true;
    yield* this.#goOn(current);
  }

  /** Starts the next chunk, or hands the transfer to the worker. */
  *#goOn(transfer: Transfer): Atomic<void> {
    if (!transfer.isAborted && (yield* this.#startChunk(transfer))) return;
    transfer.stage = "stopped";
    yield* this.#device.work.wakeAll();
  }

  /** Whether there was one to start: not at the end of the buffer, nor of the recording. */
  *#startChunk(transfer: Transfer): Atomic<boolean> {
    const { kernel, registers, measurements, statistics } = this.#device;
    const { mmio } = kernel;
    const fragment = transfer.nextFragment();
    if (fragment === undefined) return false;
    yield* mmio.write(measurements, controller.select, 4, transfer.request.interface);
    yield* mmio.write(measurements, controller.latch, 4, fragment.bytes);
    const latched = yield* mmio.read(measurements, controller.latched, 4);
    if (latched === 0) return false;
    transfer.chunk = latched;
    statistics.chunks++;
    yield* mmio.write64(registers, edu.dmaSource, BigInt(DMA_WINDOW));
    yield* mmio.write64(registers, edu.dmaDestination, BigInt(fragment.address));
    yield* mmio.write64(registers, edu.dmaCount, BigInt(latched));
    yield* mmio.write(registers, edu.dmaCommand, 4, DMA_START | DMA_TO_MEMORY | DMA_INTERRUPT);
    return true;
  }
}
