import type { InterruptLine } from "@nopage/core";

/** The card's interrupt status and its way to the processor. */
export class InterruptPin {
  #status = 0;
  #line: InterruptLine | undefined = undefined;

  /** Bits that were raised and not acknowledged. */
  get status(): number {
    return this.#status;
  }

  connect(line: InterruptLine): void {
    this.#line = line;
  }

  /** Nothing of the card reaches the processor any more; a level falls. */
  disconnect(): void {
    this.#line?.lower();
    this.#line = undefined;
    this.#status = 0;
  }

  /** Sets bits; asserts the level, or sends a message for whatever stands there now. */
  raise(bits: number): void {
    this.#status = (this.#status | bits) >>> 0;
    if (this.#status !== 0) this.#line?.raise();
  }

  /** Clears bits; the level is lowered with the last one. */
  acknowledge(bits: number): void {
    this.#status = (this.#status & ~bits) >>> 0;
    if (this.#status === 0) this.#line?.lower();
  }
}
