import type { InterruptMode } from "@nopage/core";
import type { VirtualNs } from "@nopage/core/contract";
import { DMA_WINDOW_BYTES } from "./edu-registers.ts";
import { MOST_INTERFACES } from "./measurement-registers.ts";

/** How a Highway card is built; whatever is left out has the default of `settleCard`. */
export interface HighwayCardOptions {
  /** Measurement interfaces, 1 to 15. */
  readonly interfaces?: number;
  /** Bytes that DMA moves before it has to ask for the bus again, 1 to 4096. */
  readonly burstBytes?: number;
  /** What one burst takes. The default is what a 33 MHz PCI bus needs for 256 bytes. */
  readonly burstNs?: VirtualNs;
  /** What one multiplication of the factorial unit takes. */
  readonly multiplicationNs?: VirtualNs;
  /** INTx, or a message (MSI). */
  readonly interrupts?: InterruptMode;
  /** Address bits that the card can put on the bus, 12 to 52. */
  readonly dmaBits?: number;
}

export type HighwayCardSettings = Required<HighwayCardOptions>;

/**
 * Fills in the defaults and checks the whole.
 *
 * @throws RangeError that names every option that is wrong, its value and what was expected
 */
export function settleCard(options: HighwayCardOptions): HighwayCardSettings {
  const settings: HighwayCardSettings = {
    interfaces: options.interfaces ?? 4,
    burstBytes: options.burstBytes ?? 256,
    burstNs: options.burstNs ?? 1940,
    multiplicationNs: options.multiplicationNs ?? 100,
    interrupts: options.interrupts ?? "level",
    dmaBits: options.dmaBits ?? 28,
  };
  const problems = [
    within("interfaces", settings.interfaces, 1, MOST_INTERFACES),
    within("burstBytes", settings.burstBytes, 1, DMA_WINDOW_BYTES),
    within("burstNs", settings.burstNs, 1, 1e12),
    within("multiplicationNs", settings.multiplicationNs, 1, 1e12),
    within("dmaBits", settings.dmaBits, 12, 52),
  ].filter((problem) => problem !== undefined);
  if (settings.interrupts !== "level" && settings.interrupts !== "message") {
    problems.push(`interrupts is ${JSON.stringify(settings.interrupts)}; expected "level" or "message"`);
  }
  if (problems.length > 0) throw new RangeError(`Highway card: ${problems.join("; ")}`);
  return settings;
}

function within(name: string, value: number, least: number, most: number): string | undefined {
  if (Number.isInteger(value) && value >= least && value <= most) return undefined;
  return `${name} is ${JSON.stringify(value)}; expected an integer from ${least} to ${most}`;
}
