import type { IoRange } from "@nopage/core";
import type { Kernel, Sleepable } from "@nopage/core/contract";
import type { HighwayCardSettings } from "./card-options.ts";
import { INTERRUPT_FACTORIAL, STATUS_COMPUTING, STATUS_INTERRUPT } from "./edu-registers.ts";
import type { InterruptPin } from "./interrupt-pin.ts";

/** From here on the factorial has at least 32 factors of two, so it is 0 modulo 2^32. */
const FIRST_ZERO = 34;

/** What `edu` is best known for: it computes factorials, slowly enough that a driver has to wait. */
export class FactorialUnit {
  /** What was written or, once computed, its factorial. */
  value = 0;
  status = 0;
  readonly #kernel: Kernel;
  readonly #settings: HighwayCardSettings;
  readonly #pin: InterruptPin;
  #window: IoRange | undefined = undefined;

  constructor(kernel: Kernel, settings: HighwayCardSettings, pin: InterruptPin) {
    this.#kernel = kernel;
    this.#settings = settings;
    this.#pin = pin;
  }

  connect(window: IoRange): void {
    this.#window = window;
  }

  /** Takes a number and sets to work; ignored while it works. */
  start(value: number): void {
    const window = this.#window;
    if ((this.status & STATUS_COMPUTING) !== 0 || window === undefined) return;
    this.value = value;
    this.status |= STATUS_COMPUTING;
    this.#kernel.time.spawnHardware("highway factorial", () => this.#compute(window));
  }

  /** Sets whether the end raises an interrupt: the only bit of the status that can be written. */
  writeStatus(value: number): void {
    this.status = (this.status & ~STATUS_INTERRUPT) | (value & STATUS_INTERRUPT);
  }

  *#compute(window: IoRange): Sleepable<void> {
    const { value } = this;
    const steps = Math.min(value, FIRST_ZERO);
    yield* this.#kernel.time.sleep(Math.max(1, steps) * this.#settings.multiplicationNs);
    let result = value < FIRST_ZERO ? 1 : 0;
    for (let factor = 2; factor <= value && result !== 0; factor++) result = Math.imul(result, factor);
    yield* this.#kernel.mmio.touch(window);
    this.value = result >>> 0;
    this.status &= ~STATUS_COMPUTING;
    if ((this.status & STATUS_INTERRUPT) !== 0) this.#pin.raise(INTERRUPT_FACTORIAL);
  }
}
