import type { SpinLock, WaitQueue } from "@nopage/core";
import { type Atomic, EAGAIN, type Kernel, type OpenFile, type Sleepable } from "@nopage/core/contract";

/**
 * Whose turn it is at the card: one transfer's, or that of one read or write of its registers. Unlike a mutex it may be
 * given back by another task than the one that took it, since a transfer outlives the call that started it; and who
 * may not wait is told so.
 */
export class CardClaim {
  readonly #lock: SpinLock;
  readonly #free: WaitQueue;
  /** Guarded by the lock. */
  #isTaken = false;

  constructor(kernel: Kernel, lock: SpinLock) {
    this.#lock = lock;
    this.#free = kernel.sync.waitQueue("the highway card to be free");
  }

  /** 0, and the card is the caller's; -EAGAIN on a file that may not wait; -ERESTARTSYS when a signal came first. */
  *take(file: OpenFile): Sleepable<number> {
    if (file.blocking === "nonblocking") return (yield* this.#tryTake()) ? 0 : -EAGAIN;
    return yield* this.#free.waitUntil(() => this.#tryTake(), "interruptible");
  }

  /** Waits until whoever has the card gives it back, however long that takes; afterwards it is free. */
  *waitUntilFree(): Sleepable<void> {
    yield* this.#free.waitUntil(() => this.#tryTake(), "uninterruptible");
    yield* this.giveBack();
  }

  *giveBack(): Sleepable<void> {
    yield* this.#lock.withIrqsOff(() => this.#drop());
    yield* this.#free.wakeAll();
  }

  *#tryTake(): Atomic<boolean> {
    return yield* this.#lock.withIrqsOff(() => this.#takeIfFree());
  }

  *#takeIfFree(): Atomic<boolean> {
    if (this.#isTaken) return false;
    this.#isTaken = true;
    return true;
  }

  *#drop(): Atomic<void> {
    this.#isTaken = false;
  }
}
