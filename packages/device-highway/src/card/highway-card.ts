import type { InterruptMode, PciBarShape, PciFunction, PciFunctionShape } from "@nopage/core";
import type { Kernel } from "@nopage/core/contract";
import { type HighwayCardOptions, type HighwayCardSettings, settleCard } from "./card-options.ts";
import { DmaEngine } from "./dma-engine.ts";
import { EduBar } from "./edu-bar.ts";
import { BAR0_BYTES } from "./edu-registers.ts";
import { FactorialUnit } from "./factorial-unit.ts";
import { InterruptPin } from "./interrupt-pin.ts";
import { MeasurementBar } from "./measurement-bar.ts";
import { MeasurementInterface, type Recording } from "./measurement-interface.ts";
import { BAR1_BYTES } from "./measurement-registers.ts";
import { type HardwareBreach, RuleBook } from "./rule-book.ts";

/** The PCI address of `edu`, which the card answers to as well. */
export const HIGHWAY_VENDOR_ID = 0x1234;
export const HIGHWAY_DEVICE_ID = 0x11e8;

/**
 * The PCI/Highway acquisition card of the 1998 mail, as hardware: an `edu` in BAR0, and measurement interfaces in BAR1.
 *
 * Its one rule: while DMA runs the measurement region may not be touched. It writes down every touch.
 */
export class HighwayCard implements PciFunctionShape {
  readonly name = "highway";
  readonly vendorId = HIGHWAY_VENDOR_ID;
  readonly deviceId = HIGHWAY_DEVICE_ID;
  readonly bars: readonly PciBarShape[];
  readonly interrupts: InterruptMode;
  readonly dmaBits: number;
  readonly settings: HighwayCardSettings;
  readonly #interfaces: readonly MeasurementInterface[];
  readonly #rules: RuleBook;
  readonly #pin = new InterruptPin();
  readonly #factorial: FactorialUnit;
  readonly #dma: DmaEngine;

  /** @throws RangeError for options that no card can be built with */
  constructor(kernel: Kernel, options: HighwayCardOptions = {}) {
    const settings = settleCard(options);
    this.settings = settings;
    this.interrupts = settings.interrupts;
    this.dmaBits = settings.dmaBits;
    this.#rules = new RuleBook(kernel, this.name);
    this.#factorial = new FactorialUnit(kernel, settings, this.#pin);
    this.#dma = new DmaEngine(kernel, settings, this.#pin, this.#rules);
    this.#interfaces = Array.from(
      { length: settings.interfaces },
      (_, index) => new MeasurementInterface(index),
    );
    this.bars = [
      { bytes: BAR0_BYTES, device: new EduBar(this.#factorial, this.#pin, this.#dma) },
      { bytes: BAR1_BYTES, device: new MeasurementBar(this.#interfaces, this.#dma, this.#rules) },
    ];
  }

  /** What was done to it against its rules, in order. */
  get breaches(): readonly HardwareBreach[] {
    return this.#rules.breaches;
  }

  get isDmaRunning(): boolean {
    return this.#dma.isRunning;
  }

  /** Connects a recording to an interface, from its start; RangeError when there is no such interface. */
  feed(index: number, recording: Recording): void {
    const target = this.#interfaces[index];
    if (target === undefined) {
      throw new RangeError(`no interface ${index}: the card has ${this.#interfaces.length}`);
    }
    target.feed(recording);
  }

  /** The card is out of its slot: its engines stand still. */
  powerOff(): void {
    this.#pin.disconnect();
    this.#dma.powerOff();
  }

  /** Connects the card's engines to the slot that it was put in. */
  connect(plugged: PciFunction): void {
    this.#pin.connect(plugged.interrupt);
    this.#dma.connect(plugged);
    this.#factorial.connect(plugged.windows[0]);
  }
}

/** Builds a card and puts it into a free slot; or a negated errno of the bus. */
export function plugHighway(kernel: Kernel, options: HighwayCardOptions = {}): PciFunction | number {
  const card = new HighwayCard(kernel, options);
  const plugged = kernel.pci.plug(card);
  if (typeof plugged !== "number") card.connect(plugged);
  return plugged;
}

/** The card in a slot; undefined when something else is in it. */
export function highwayIn(plugged: PciFunction): HighwayCard | undefined {
  return plugged.shape instanceof HighwayCard ? plugged.shape : undefined;
}
