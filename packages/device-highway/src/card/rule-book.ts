import type { Kernel, VirtualNs } from "@nopage/core/contract";

/**
 * Rules of the hardware that software can break.
 *
 * - `touched-during-dma`: the measurement region was read or written, or a block latched, while DMA ran.
 * - `dma-outside-window`: a transfer that does not lie inside the DMA window; nothing was moved.
 * - `dma-address-cut`: a bus address of more bits than the card has; it used the lower ones, as `edu` does.
 * - `dma-to-nowhere`: no memory answered at the bus address; the transfer stopped there.
 */
export type HardwareRule = "touched-during-dma" | "dma-outside-window" | "dma-address-cut" | "dma-to-nowhere";

/** One breach of a hardware rule. */
export interface HardwareBreach {
  readonly rule: HardwareRule;
  /** The register that was touched, in words, or what the transfer was about. */
  readonly register: string;
  /** The task that did it. */
  readonly who: string;
  readonly time: VirtualNs;
}

/** Where the card writes down what was done to it against its rules. It reports each to the machine as well. */
export class RuleBook {
  readonly breaches: HardwareBreach[] = [];
  readonly #kernel: Kernel;
  readonly #device: string;

  /** @param device the name under which the bus knows the card: its transfers are what a breach meets */
  constructor(kernel: Kernel, device: string) {
    this.#kernel = kernel;
    this.#device = device;
  }

  record(rule: HardwareRule, register: string): void {
    const { time } = this.#kernel;
    const who = time.currentTask();
    this.breaches.push({ rule, register, who, time: time.now() });
    this.#kernel.reportDeviceRule(`highway card, ${rule}: ${register}, by ${who}`, this.#device);
  }
}
