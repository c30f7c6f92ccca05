import type { VirtualNs } from "@nopage/core/contract";

/** How the acquisition program behaves; whatever is left out has the default of `settleAcquisition`. */
export interface AcquireOptions {
  /** Threads that poll the mapped region meanwhile. */
  readonly pollers?: number;
  /** What a poller sleeps between two looks. */
  readonly pollNs?: VirtualNs;
  /** Bytes of one transfer, at most 16 MiB. */
  readonly blockBytes?: number;
  /** What the measuring thread does with each block before it asks for the next. */
  readonly workNs?: VirtualNs;
  /** Where the buffer starts in its mapping, in bytes: not at a page boundary, so that transfers must be cut. */
  readonly bufferOffset?: number;
}

export type AcquireSettings = Required<AcquireOptions>;

/**
 * Fills in the defaults and checks the whole.
 *
 * @throws RangeError that names the option, its value and what was expected
 */
export function settleAcquisition(options: AcquireOptions): AcquireSettings {
  const settings: AcquireSettings = {
    pollers: options.pollers ?? 3,
    pollNs: options.pollNs ?? 10_000,
    blockBytes: options.blockBytes ?? 16_384,
    workNs: options.workNs ?? 50_000,
    bufferOffset: options.bufferOffset ?? 0x9a4,
  };
  within("pollers", settings.pollers, 0, 1000);
  within("pollNs", settings.pollNs, 1, 1e12);
  within("blockBytes", settings.blockBytes, 1, 2 ** 24);
  within("workNs", settings.workNs, 0, 1e12);
  within("bufferOffset", settings.bufferOffset, 0, 2 ** 24);
  return settings;
}

function within(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new RangeError(`${name} is ${String(value)}; expected an integer from ${least} to ${most}`);
}
