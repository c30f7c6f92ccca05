import type { IoDevice, IoWidth } from "@nopage/core";
import type { DmaEngine } from "./dma-engine.ts";
import { EDU_IDENTIFICATION, edu, WIDE_REGISTERS } from "./edu-registers.ts";
import type { FactorialUnit } from "./factorial-unit.ts";
import type { InterruptPin } from "./interrupt-pin.ts";

const ALL_ONES = 0xffff_ffff;

/**
 * What answers in BAR0. Below `WIDE_REGISTERS` an access has 4 bytes, from there on 4 or 8: of any other size, and
 * where there is no register, reads give all ones and writes are lost. A store of 4 bytes to a wide register clears
 * its upper half, as in `edu`.
 */
export class EduBar implements IoDevice {
  #liveness = 0;
  readonly #factorial: FactorialUnit;
  readonly #pin: InterruptPin;
  readonly #dma: DmaEngine;

  constructor(factorial: FactorialUnit, pin: InterruptPin, dma: DmaEngine) {
    this.#factorial = factorial;
    this.#pin = pin;
    this.#dma = dma;
  }

  read(offset: number, width: IoWidth): number {
    if (width !== 4) return 2 ** (8 * width) - 1;
    switch (offset) {
      case edu.identification:
        return EDU_IDENTIFICATION;
      case edu.liveness:
        return this.#liveness;
      case edu.factorial:
        return this.#factorial.value;
      case edu.status:
        return this.#factorial.status;
      case edu.interruptStatus:
        return this.#pin.status;
      default:
        return (this.#readWide(offset) ?? ALL_ONES) % 2 ** 32;
    }
  }

  write(offset: number, width: IoWidth, value: number): void {
    if (width !== 4) return;
    switch (offset) {
      case edu.liveness:
        this.#liveness = ~value >>> 0;
        break;
      case edu.factorial:
        this.#factorial.start(value);
        break;
      case edu.status:
        this.#factorial.writeStatus(value);
        break;
      case edu.interruptRaise:
        this.#pin.raise(value);
        break;
      case edu.interruptAcknowledge:
        this.#pin.acknowledge(value);
        break;
      default:
        this.#writeWide(offset, value);
    }
  }

  read64(offset: number): bigint {
    const value = offset < WIDE_REGISTERS ? undefined : this.#readWide(offset);
    return value === undefined ? 0xffff_ffff_ffff_ffffn : BigInt(value);
  }

  write64(offset: number, value: bigint): void {
    // Addresses of 2^53 and more lose their lowest bits here; no card has as many lines.
    if (offset >= WIDE_REGISTERS) this.#writeWide(offset, Number(value));
  }

  #readWide(offset: number): number | undefined {
    switch (offset) {
      case edu.dmaSource:
        return this.#dma.source;
      case edu.dmaDestination:
        return this.#dma.destination;
      case edu.dmaCount:
        return this.#dma.count;
      case edu.dmaCommand:
        return this.#dma.command;
      default:
        return undefined;
    }
  }

  /** The four registers of a transfer; they are fixed while it runs. */
  #writeWide(offset: number, value: number): void {
    if (this.#dma.isRunning) return;
    switch (offset) {
      case edu.dmaSource:
        this.#dma.source = value;
        break;
      case edu.dmaDestination:
        this.#dma.destination = value;
        break;
      case edu.dmaCount:
        this.#dma.count = value;
        break;
      case edu.dmaCommand:
        this.#dma.start(value % 2 ** 32);
        break;
    }
  }
}
