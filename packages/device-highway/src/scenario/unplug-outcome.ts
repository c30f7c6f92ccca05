import type { Violation } from "@nopage/core";
import type { VirtualNs } from "@nopage/core/contract";

/** What became of an acquisition whose card was pulled out: plain data. */
export interface UnplugOutcome {
  /** When the card was pulled; undefined when the acquisition had ended by then. */
  readonly unpluggedAt: VirtualNs | undefined;
  /** From then until the driver had let go of the card. */
  readonly removalNs: VirtualNs;
  readonly signalBytes: number;
  /** Bytes that the program had acquired, in whole blocks. */
  readonly acquired: number;
  /** The call that failed, with its errno; undefined when none did. */
  readonly failure: string | undefined;
  /** Loads that waited for the end of a transfer and were woken to SIGBUS. */
  readonly woken: number;
  /** Loads that ended in SIGBUS, those included. */
  readonly sigbus: number;
  readonly otherTraps: number;
  /** What opening the device answered afterwards; undefined when nobody tried. */
  readonly laterOpen: string | undefined;
  /** Breaches of the card's rules. */
  readonly breaches: number;
  /** Bytes that the card had moved to memory in transfers that ended, and transfers that were cut short. */
  readonly bytes: number;
  readonly aborted: number;
  /** What is left over once the driver is unloaded, in words. */
  readonly leaks: readonly string[];
  readonly violations: readonly Violation[];
  /** What never came to an end, in words. */
  readonly stuck: readonly string[];
}

/** What a card that is pulled out must not do to anybody and did, a phrase each. */
export function brokenAtUnplug(outcome: UnplugOutcome): readonly string[] {
  const { unpluggedAt, failure, laterOpen, otherTraps, breaches, acquired, signalBytes } = outcome;
  const broken: string[] = [];
  if (unpluggedAt === undefined) {
    if (failure !== undefined) broken.push(`the program stopped: ${failure}`);
    if (acquired !== signalBytes) broken.push(`${acquired} bytes arrived of ${signalBytes}`);
  } else {
    // A card that goes after the last transfer is missed by nobody.
    const wasDone = failure === undefined && acquired === signalBytes;
    if (!wasDone && failure?.endsWith("-ENODEV") !== true) {
      broken.push(`the program met ${failure ?? "no error"} instead of -ENODEV`);
    }
    if (laterOpen !== "-ENODEV") broken.push(`opening the device afterwards answered ${laterOpen}`);
  }
  if (otherTraps > 0) broken.push(`${otherTraps} loads of the mapping ended in another signal than SIGBUS`);
  if (breaches > 0) broken.push(`the card's rules were broken ${breaches} times`);
  return [
    ...broken,
    ...outcome.violations.map(({ kind, message }) => `${kind}: ${message}`),
    ...outcome.leaks.map((leak) => `left over: ${leak}`),
    ...outcome.stuck.map((what) => `never ended: ${what}`),
  ];
}
