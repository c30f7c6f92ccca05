import type { MachineOptions, ViolationKind } from "@nopage/core";
import type { Contender } from "#src/model/contender";

/** Whose mistake is re-enacted. */
export type MutantKind = "strategy" | "driver" | "mirror" | "policy" | "core";

/** Something put to work, in every situation that it is to be tried in. */
export interface Setup {
  readonly contenders: readonly Contender[];
  /** What kind of machine it needs, over what a law's program asks for. */
  readonly machine?: MachineOptions;
}

/** A wrong plugin, driver or core, made to be caught. */
export interface Mutant {
  /** What is wrong, as in `the gate is closed after the zap`. */
  readonly name: string;
  readonly kind: MutantKind;
  /** The bug that it re-enacts by its number in the list of bugs, a mail, or `law` where it is there for a law's sake. */
  readonly bug: string;
  /** Where the bug was: a CVE, a fix, a mail. */
  readonly source: string;
  readonly wrong: Setup;
  /** The same without the mistake, and with nothing else changed. */
  readonly right: Setup;
  /** Every law that must break, with the words that its report must contain. */
  readonly caughtBy: Readonly<Record<string, RegExp>>;
  /** The kinds of violation that must be among what is reported under those laws. */
  readonly sanitizers?: readonly ViolationKind[];
  /** Whether only some orders of the threads' steps show it. */
  readonly schedule: "sequential" | "racy";
}
