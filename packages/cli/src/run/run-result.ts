import type { BackingKind } from "@nopage/core/contract";
import type { Fingerprint } from "@nopage/device-highway";
import { count } from "../report/words.ts";
import type { Counters } from "./counters.ts";

/** What threads met that touched the mapping while DMA ran. */
export interface DuringDma {
  /** `none`: nobody touched it in that time. */
  readonly outcome: "waited" | "sigbus" | "none";
  /** The longest that one touch waited, in virtual nanoseconds. */
  readonly waitedNs: number;
  /** Touches that waited. */
  readonly waits: number;
  /** Touches that ended in SIGBUS. */
  readonly sigbuses: number;
}

/** One acquisition on one strategy with one pinning policy: what `--json` prints of it. */
export interface RunResult extends Counters {
  readonly strategy: string;
  readonly pinning: string;
  readonly geometry: string;
  /** The kind of memory that the driver showed through the strategy. */
  readonly backing: BackingKind;
  readonly signal: Fingerprint;
  readonly acquired: Fingerprint;
  readonly duringDma: DuringDma;
  /** Loads of the mapped region by the polling threads. */
  readonly polls: number;
  /** What is left over after the driver was unloaded, counted. */
  readonly leaks: number;
  /** Rules of the machine and of the hardware that were broken. */
  readonly violations: number;
  /** The first of them in full, in lines: the operations that met, their callers, the events around them; empty for none. */
  readonly firstViolation: string;
  /** Why the run does not hold, a phrase each; empty when it holds. */
  readonly failures: readonly string[];
}

/** What was found that ought not to be, beside the two fingerprints. */
export interface Findings {
  /** Why the program did not reach its end; undefined when it did. */
  readonly failure: string | undefined;
  /** Looks at the region that found something else than the card showed there. */
  readonly wrongValues: number;
  /** Loads of the region that ended in another signal than SIGBUS. */
  readonly otherTraps: number;
  /** What is left over, in words. */
  readonly leaks: readonly string[];
  /** What was violated, in words. */
  readonly violations: readonly string[];
}

/** Everything that is wrong with a run, a phrase each. */
export function failuresOf(
  signal: Fingerprint,
  acquired: Fingerprint,
  findings: Findings,
): readonly string[] {
  const { failure, wrongValues, otherTraps, leaks, violations } = findings;
  const failures: string[] = [];
  if (failure !== undefined) failures.push(`the program stopped: ${failure}`);
  if (acquired.bytes !== signal.bytes) {
    failures.push(`${count(acquired.bytes, "byte")} arrived of ${signal.bytes.toLocaleString("en-US")}`);
  } else if (acquired.sha256 !== signal.sha256) failures.push("the acquired bytes differ from the signal");
  if (wrongValues > 0) failures.push(`${count(wrongValues, "look")} at the mapping found a wrong value`);
  if (otherTraps > 0)
    failures.push(`${count(otherTraps, "load")} of the mapping ended in an unexpected signal`);
  if (leaks.length > 0) failures.push(`left over: ${leaks.join(", ")}`);
  return [...failures, ...grouped(violations)];
}

/** The same thing said many times is said once, with how often. */
function grouped(texts: readonly string[]): readonly string[] {
  const times = new Map<string, number>();
  for (const text of texts) times.set(text, (times.get(text) ?? 0) + 1);
  return [...times].map(([text, often]) => (often === 1 ? text : `${text}, ${count(often, "time")}`));
}
