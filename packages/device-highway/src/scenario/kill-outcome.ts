import type { Violation } from "@nopage/core";
import type { VirtualNs } from "@nopage/core/contract";

/** What became of a process that was killed while it acquired, and of everybody around it: plain data. */
export interface KillOutcome {
  /** When the signal was sent; undefined when the process had ended by then. */
  readonly killedAt: VirtualNs | undefined;
  /** From the signal until address space and files were gone: the dying process waits for the device to stop. */
  readonly dyingNs: VirtualNs;
  /** The longest that a thread waited for the mapped region. */
  readonly watcherNs: VirtualNs;
  /** From the signal until another process could open the device; undefined when none tried, or had it before. */
  readonly secondNs: VirtualNs | undefined;
  /** Bytes that the device moved to memory, and transfers that were cut short. */
  readonly bytes: number;
  readonly aborted: number;
  /** Pages that the policy still held when everything had come to rest, with the driver loaded. */
  readonly quarantinedPages: number;
  /** What is left over once the driver is unloaded, in words. */
  readonly leaks: readonly string[];
  readonly violations: readonly Violation[];
  /** Memory of others that changed under them, in words. */
  readonly damage: readonly string[];
  /** A transfer ended well, and its data was not where the process had asked for it. */
  readonly lostData: boolean;
  /** What never came to an end, in words. */
  readonly stuck: readonly string[];
}

/** Everything that is wrong with an outcome but lost data, a phrase each. */
export function harmOf({
  violations,
  leaks,
  damage,
  stuck,
}: Pick<KillOutcome, "violations" | "leaks" | "damage" | "stuck">): readonly string[] {
  return [
    ...violations.map(({ kind, message }) => `${kind}: ${message}`),
    ...damage,
    ...leaks.map((leak) => `left over: ${leak}`),
    ...stuck.map((what) => `never ended: ${what}`),
  ];
}
