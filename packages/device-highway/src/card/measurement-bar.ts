import type { IoDevice, IoWidth } from "@nopage/core";
import type { DmaEngine } from "./dma-engine.ts";
import { DMA_WINDOW_BYTES } from "./edu-registers.ts";
import type { MeasurementInterface } from "./measurement-interface.ts";
import {
  controller,
  describeRegister,
  INTERFACE_BYTES,
  REGION_BYTES,
  REGION_MAGIC,
  region,
} from "./measurement-registers.ts";
import type { RuleBook } from "./rule-book.ts";

const ALL_ONES = 0xffff_ffff;

/**
 * What answers in BAR1. Registers are read in any width and written in 4 bytes. While DMA runs the measurement region
 * and the latch are out of bounds: whoever touches them is written down, reads all ones and writes nothing.
 */
export class MeasurementBar implements IoDevice {
  #selected = 0;
  #latched = 0;
  #sequence = 0;
  readonly #interfaces: readonly MeasurementInterface[];
  readonly #dma: DmaEngine;
  readonly #rules: RuleBook;

  constructor(interfaces: readonly MeasurementInterface[], dma: DmaEngine, rules: RuleBook) {
    this.#interfaces = interfaces;
    this.#dma = dma;
    this.#rules = rules;
  }

  read(offset: number, width: IoWidth): number {
    const base = offset - (offset % 4);
    const word = this.#isOutOfBounds("reads", offset) ? ALL_ONES : this.#readWord(base);
    return Math.floor(word / 2 ** (8 * (offset - base))) % 2 ** (8 * width);
  }

  write(offset: number, width: IoWidth, value: number): void {
    if (this.#isOutOfBounds("writes", offset) || width !== 4) return;
    switch (offset) {
      case controller.select:
        this.#selected = value;
        break;
      case controller.latch:
        this.#latch(value);
        break;
      case controller.abort:
        this.#dma.abort();
        break;
      default:
        if (offset < REGION_BYTES) this.#interfaceAt(offset)?.write(offset % INTERFACE_BYTES, value);
    }
  }

  #readWord(offset: number): number {
    if (offset >= INTERFACE_BYTES && offset < REGION_BYTES) {
      return this.#interfaceAt(offset)?.read(offset % INTERFACE_BYTES) ?? ALL_ONES;
    }
    switch (offset) {
      case region.magic:
        return REGION_MAGIC;
      case region.interfaces:
        return this.#interfaces.length;
      case region.sequence:
        return this.#sequence;
      case controller.select:
        return this.#selected;
      case controller.latched:
        return this.#latched;
      case controller.transferred:
        return this.#dma.transferred;
      case controller.fault:
        return this.#dma.hasFaulted ? 1 : 0;
      default:
        return ALL_ONES;
    }
  }

  #interfaceAt(offset: number): MeasurementInterface | undefined {
    return this.#interfaces[Math.floor(offset / INTERFACE_BYTES) - 1];
  }

  #latch(bytes: number): void {
    const taken = this.#interfaces[this.#selected]?.take(Math.min(bytes, DMA_WINDOW_BYTES));
    this.#latched = taken?.length ?? 0;
    if (taken === undefined || taken.length === 0) return;
    this.#dma.window.set(taken);
    this.#sequence = (this.#sequence + 1) >>> 0;
  }

  /** Whether DMA forbids this access; if so, it is written down. */
  #isOutOfBounds(verb: "reads" | "writes", offset: number): boolean {
    if (!this.#dma.isRunning || (offset >= REGION_BYTES && offset !== controller.latch)) return false;
    this.#rules.record("touched-during-dma", `${verb} ${describeRegister(offset)}`);
    return true;
  }
}
