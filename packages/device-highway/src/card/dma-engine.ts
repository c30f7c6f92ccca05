import type { DmaPort, PciFunction } from "@nopage/core";
import type { Atomic, BusAddress, Kernel, Sleepable, UserAddress } from "@nopage/core/contract";
import type { HighwayCardSettings } from "./card-options.ts";
import {
  DMA_INTERRUPT,
  DMA_START,
  DMA_TO_MEMORY,
  DMA_TRANSLATED,
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
  /** The last transfer ended at a device fault. */
  hasFaulted = false;
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
    this.hasFaulted = false;
    this.#isAborted = false;
    this.#kernel.time.spawnHardware("highway DMA", () => this.#transfer(plugged));
  }

  /** Stops a running transfer after its current burst; it then ends like any other. */
  abort(): void {
    if (this.isRunning) this.#isAborted = true;
  }

  /** Stops at once and for good, without a word to anybody. */
  powerOff(): void {
    this.#function = undefined;
    this.command &= ~DMA_START;
    this.#isAborted = true;
  }

  *#transfer(plugged: PciFunction): Sleepable<void> {
    const { dma, windows } = plugged;
    const { burstBytes, burstNs } = this.#settings;
    const isToMemory = (this.command & DMA_TO_MEMORY) !== 0;
    const direction = isToMemory ? "to-memory" : "from-memory";
    const inWindow = (isToMemory ? this.source : this.destination) - DMA_WINDOW;
    const given = isToMemory ? this.destination : this.source;
    const address = this.#isTranslated ? given : this.#cut(given);
    const count = this.#fits(inWindow) ? this.count : 0;
    dma.started(address as BusAddress, count, direction);
    do {
      yield* this.#kernel.time.sleep(burstNs);
      if (this.#function === undefined) break;
      const bytes = Math.min(burstBytes, count - this.transferred);
      const at = inWindow + this.transferred;
      const burst = this.window.subarray(at, at + bytes);
      const moved = yield* this.#move(dma, address + this.transferred, burst);
      yield* this.#kernel.mmio.touch(windows[0]);
      this.transferred += moved;
      if (moved < bytes) {
        this.#stopAt(address + this.transferred);
        break;
      }
    } while (this.transferred < count && !this.#isAborted);
    dma.ended(address as BusAddress, this.transferred, direction);
    this.command &= ~DMA_START;
    if ((this.command & DMA_INTERRUPT) !== 0) this.#pin.raise(INTERRUPT_DMA);
  }

  get #isTranslated(): boolean {
    return (this.command & DMA_TRANSLATED) !== 0;
  }

  /** Moves one burst: the bytes moved. */
  *#move(dma: DmaPort, target: number, burst: Uint8Array): Atomic<number> {
    const isToMemory = (this.command & DMA_TO_MEMORY) !== 0;
    if (!this.#isTranslated) {
      const address = target as BusAddress;
      const answered = yield* isToMemory ? dma.write(address, burst) : dma.read(address, burst);
      return answered ? burst.length : 0;
    }
    const { translator } = dma;
    const address = target as UserAddress;
    if (translator === undefined) return 0;
    return yield* isToMemory
      ? dma.writeThrough(translator, address, burst)
      : dma.readThrough(translator, address, burst);
  }

  /** A transfer got no further than here. */
  #stopAt(target: number): void {
    if (this.#isTranslated) this.hasFaulted = true;
    else this.#rules.record("dma-to-nowhere", `bus address 0x${target.toString(16)}`);
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
