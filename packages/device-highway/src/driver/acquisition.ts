import {
  type Atomic,
  type BusAddress,
  EAGAIN,
  EFAULT,
  EINVAL,
  EIO,
  ENODEV,
  type OpenFile,
  type Pinned,
  type Sleepable,
  type UserAddress,
} from "@nopage/core/contract";
import type { DmaControl } from "./dma-control.ts";
import type { HighwayDevice } from "./highway-device.ts";
import { decodeRequest, type HighwayRequest, MOST_BYTES, REQUEST_BYTES } from "./ioctl.ts";
import { pagesTouched, Transfer } from "./transfer.ts";

/** Starting transfers, waiting for them and stopping them: what the system calls do around `DmaControl`. */
export class Acquisition {
  readonly #device: HighwayDevice;
  readonly #dma: DmaControl;
  readonly #interfaces: number;

  constructor(device: HighwayDevice, dma: DmaControl, interfaces: number) {
    this.#device = device;
    this.#dma = dma;
    this.#interfaces = interfaces;
  }

  /**
   * Starts the transfer that the caller's request at `argument` describes.
   *
   * The card is claimed before the request is copied, which may lie in the card's own mapping: while the caller has the
   * card nobody else has its gate closed, so a caller that may not wait is not made to by that fault. The pages are
   * pinned before the gate is closed: pinning may fault, and a fault that waits at this very gate would wait for ever.
   *
   * @returns the transfer; -EFAULT for a request or a buffer that cannot be reached, -EINVAL for one that makes no
   *   sense, -EAGAIN or -ERESTARTSYS when the card is busy, -EIO for memory out of the card's reach, -ENODEV
   */
  *start(file: OpenFile, argument: number): Sleepable<Transfer | number> {
    const { claim, binding } = this.#device;
    const taken = yield* claim.take(file);
    if (taken !== 0) return taken;
    const request = yield* this.#copyRequest(argument);
    const transfer = typeof request === "number" ? request : yield* this.#prepare(file, request);
    if (typeof transfer === "number") {
      yield* claim.giveBack();
      return transfer;
    }
    yield* binding.quiesce();
    yield* this.#dma.start(transfer);
    return transfer;
  }

  /** Waits for a transfer: the bytes moved or a negated errno; -EAGAIN or -ERESTARTSYS while it goes on. */
  *wait(file: OpenFile, transfer: Transfer | undefined): Sleepable<number> {
    const { lock, progress } = this.#device;
    if (transfer === undefined) return -EINVAL;
    const isOver = () => lock.withIrqsOff(() => hasReached(transfer, "over"));
    if (file.blocking === "nonblocking") return (yield* isOver()) ? transfer.result : -EAGAIN;
    const interrupted = yield* progress.waitUntil(isOver, "interruptible");
    return interrupted === 0 ? transfer.result : interrupted;
  }

  /** Stops the transfer that runs, if any, and waits until its pages have been given back. */
  *stop(): Sleepable<void> {
    const { lock, progress } = this.#device;
    yield* this.#dma.abort();
    yield* progress.waitUntil(() => lock.withIrqsOff(() => this.#holdsNoPages()), "uninterruptible");
  }

  /** The process goes, and nothing holds its pages: has the card stop, and waits for nothing else (MN-17). */
  *#rest(): Sleepable<void> {
    const { lock, progress } = this.#device;
    yield* this.#dma.abort();
    yield* progress.waitUntil(() => lock.withIrqsOff(() => this.#isAtRest()), "uninterruptible");
  }

  *#copyRequest(argument: number): Sleepable<HighwayRequest | number> {
    const { kernel } = this.#device;
    const bytes = new Uint8Array(REQUEST_BYTES);
    if ((yield* kernel.user.copyFrom(argument as UserAddress, bytes)) > 0) return -EFAULT;
    const request = decodeRequest(bytes);
    if (request.interface >= this.#interfaces) return -EINVAL;
    if (request.bytes === 0 || request.bytes > MOST_BYTES) return -EINVAL;
    return request.buffer + request.bytes <= kernel.geometry.userEnd ? request : -EFAULT;
  }

  /** Pins the buffer, and checks that the card can reach it. */
  *#prepare(file: OpenFile, request: HighwayRequest): Sleepable<Transfer | number> {
    const { kernel, isGone } = this.#device;
    if (isGone) return -ENODEV;
    const pinned = yield* this.#pin(request);
    if (typeof pinned === "number") return pinned;
    if (this.#isReachable(pinned)) {
      this.#device.plugged.dma.map(pinned);
      return new Transfer(file, request, pinned, kernel.geometry.pageSize);
    }
    yield* this.#device.pinning.unpin(pinned, "clean");
    return -EIO;
  }

  *#pin(request: HighwayRequest): Sleepable<Pinned | number> {
    const { kernel, pinning } = this.#device;
    const { pageSize } = kernel.geometry;
    const mm = kernel.user.currentMm();
    if (mm === undefined) return -EFAULT;
    const start = (request.buffer - (request.buffer % pageSize)) as UserAddress;
    const pages = pagesTouched(request, pageSize);
    return yield* pinning.pin(mm, start, pages, "device-writes", () => this.#rest());
  }

  #isReachable({ pages }: Pinned): boolean {
    const { pageSize } = this.#device.kernel.geometry;
    const { dma } = this.#device.plugged;
    return pages.every((page) => dma.reaches((page * pageSize) as BusAddress, pageSize));
  }

  /** With the lock held. */
  *#isAtRest(): Atomic<boolean> {
    return this.#device.current?.stage !== "running";
  }

  /** With the lock held. */
  *#holdsNoPages(): Atomic<boolean> {
    const { current } = this.#device;
    return current === undefined || current.stage === "settled";
  }
}

/** With the device's lock held. */
function* hasReached(transfer: Transfer, stage: Transfer["stage"]): Atomic<boolean> {
  return transfer.stage === stage;
}
