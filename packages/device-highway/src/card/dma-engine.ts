import type { PciFunction } from "@nopage/core";
import type { BusAddress, Kernel, Sleepable } from "@nopage/core/contract";
import type { HighwayCardSettings } from "./card-options.ts";
import {
  DMA_INTERRUPT,
  DMA_START,
  DMA_TO_MEMORY,
  DMA_WINDOW,
  DMA_WINDOW_BYTES,
  INTERRUPT_DMA,
} from "./edu-registers.ts";
import type { InterruptPin } from "./interrupt-pin.ts";
import type { RuleBook } from "./rule-book.ts";

/**
 * The card's DMA engine: it moves bytes between its 4 KiB window and memory, a burst at a time, as a hardware task of
 * its own. Where `edu` moves everything at once after 100 ms, this one takes the time that a bus takes.
 */
export class DmaEngine {
  source = 0;
  destination = 0;
  count = 0;
  command = 0;
  /** Bytes that the last transfer moved. */
  transferred = 0;
  readonly window = new Uint8Array(DMA_WINDOW_BYTES);
  #isAborted = false;
  readonly #kernel: Kernel;
  readonly #settings: HighwayCardSettings;
  readonly #pin: InterruptPin;
  readonly #rules: RuleBook;
  #function: PciFunction | undefined = undefined;

  constructor(kernel: Kernel, settings: HighwayCardSettings, pin: InterruptPin, rules: RuleBook) {
    this.#kernel = kernel;
    this.#settings = settings;
    this.#pin = pin;
    this.#rules = rules;
  }

  get isRunning(): boolean {
    return (this.command & DMA_START) !== 0;
  }

  connect(plugged: PciFunction): void {
    this.#function = plugged;
  }

  /** A write to the command register: starts a transfer if it says so and none runs. */
  start(command: number): void {
    const plugged = this.#function;
    if (this.isRunning || (command & DMA_START) === 0 || plugged === undefined) return;
    this.command = command;
    this.transferred = 0;
    this.#isAborted = false;
    this.#kernel.time.spawnHardware("highway DMA", () => this.#transfer(plugged));
  }

  /** Stops a running transfer after its current burst; it then ends like any other. */
  abort(): void {
    if (this.isRunning) this.#isAborted = true;
  }

  *#transfer(plugged: PciFunction): Sleepable<void> {
    const { dma, windows } = plugged;
    const { burstBytes, burstNs } = this.#settings;
    const isToMemory = (this.command & DMA_TO_MEMORY) !== 0;
    const direction = isToMemory ? "to-memory" : "from-memory";
    const inWindow = (isToMemory ? this.source : this.destination) - DMA_WINDOW;
    const address = this.#cut(isToMemory ? this.destination : this.source);
    const count = this.#fits(inWindow) ? this.count : 0;
    dma.started(address, count, direction);
    do {
      yield* this.#kernel.time.sleep(burstNs);
      const bytes = Math.min(burstBytes, count - this.transferred);
      const at = inWindow + this.transferred;
      const burst = this.window.subarray(at, at + bytes);
      const target = (address + this.transferred) as BusAddress;
      const answered = yield* isToMemory ? dma.write(target, burst) : dma.read(target, burst);
      yield* this.#kernel.mmio.touch(windows[0]);
      if (!answered) {
        this.#rules.record("dma-to-nowhere", `bus address 0x${target.toString(16)}`);
        break;
      }
      this.transferred += bytes;
    } while (this.transferred < count && !this.#isAborted);
    dma.ended(address, this.transferred, direction);
    this.command &= ~DMA_START;
    if ((this.command & DMA_INTERRUPT) !== 0) this.#pin.raise(INTERRUPT_DMA);
  }

  #fits(inWindow: number): boolean {
    if (inWindow >= 0 && this.count >= 0 && inWindow + this.count <= DMA_WINDOW_BYTES) return true;
    const start = (inWindow + DMA_WINDOW).toString(16);
    this.#rules.record("dma-outside-window", `${this.count} bytes at 0x${start}`);
    return false;
  }

  /** The address as the card's own lines can say it. */
  #cut(address: number): BusAddress {
    const cut = address % 2 ** this.#settings.dmaBits;
    if (cut !== address) this.#rules.record("dma-address-cut", `bus address 0x${address.toString(16)}`);
    return cut as BusAddress;
  }
}
