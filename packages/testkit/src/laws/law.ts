import type { BackingKind, Geometry, MachineOptions, MappingStrategy, ViolationKind } from "@nopage/core";
import type { Steps } from "../program/operation.ts";
import type { Pinner } from "../subject/pinner.ts";
import type { Subject } from "../subject/subject.ts";

/**
 * How binding a law is: for everybody; for who claims a capability, with the opposite law for who does not; or on the model
 * only, because user space cannot see it.
 */
export type LawLevel = "required" | "capability" | "model-only";

/** Who has to see to it: the VM core, the strategy, or the driver around it. */
export type LawOwner = "core" | "strategy" | "driver";

/** What is tried: how a strategy maps, how a mirror follows a process, or how a policy pins. */
export type Trial = "mapping" | "mirroring" | "pinning";

/** The strategy behind a subject, for cases that look inside, and the situation that it is tried in. */
export interface Tried {
  readonly strategy: MappingStrategy;
  readonly backing: BackingKind;
  readonly holes: "none" | "some";
  readonly geometry: Geometry;
}

/** What a law's program is given. */
export interface Stage {
  readonly trial: Trial;
  readonly subject: Subject;
  /** A device that pins; undefined where there is none. */
  readonly pinner: Pinner | undefined;
  /** Left out where no strategy is tried. */
  readonly tried?: Tried;
}

/** One program that shows whether a law holds. */
export interface LawCase {
  /** Tells the cases of one law apart; empty where there is only one. */
  readonly when: string;
  /** Whether the order of the threads' steps may change the outcome, so that every order has to be tried. */
  readonly schedule: "sequential" | "racy";
  /** `model` where this case alone looks inside, in a law whose other cases user space can see; any executor if left out. */
  readonly executor?: "model";
  /** What it is about; mappings of a strategy alone where left out. */
  readonly about?: readonly Trial[];
  /**
   * `one` where the program looks at nothing of what is tried but its page size, so that one kind of memory tells as much as
   * all of them; each kind where left out.
   */
  readonly kinds?: "one";
  /**
   * Orders of steps that even a quick run tries, where a smaller sample would not have the meeting that the program is about;
   * as many as any other where left out.
   */
  readonly orders?: number;
  /** Why it does not apply to a subject; undefined when it does. */
  excluded?(stage: Stage): string | undefined;
  /** What kind of machine the model needs for it. */
  readonly machine?: MachineOptions;
  /**
   * What the program breaks on purpose, or the subject says itself that it breaks, so that the machine has to report it:
   * each kind, and no other; nothing where left out. What is left over is only compared where a single kind is named.
   */
  readonly provokes?: ViolationKind | readonly ViolationKind[];
  /** @throws LawBroken when the law does not hold */
  program(stage: Stage): Steps<void>;
}

/** A rule of the mapping contract with the programs that show whether it holds. */
export interface Law {
  /** As in the list of laws, such as `LK-06`. */
  readonly id: string;
  readonly level: LawLevel;
  readonly owner: readonly LawOwner[];
  /** What must hold, with its verb: `a hole MUST end in SIGBUS and MUST NOT change the page table`. */
  readonly rule: string;
  /** Where the rule is written: a kernel file and function, a document, a mail. */
  readonly source: string;
  readonly cases: readonly LawCase[];
}

/** A rule that nothing here can show, with the reason. */
export interface UntestedLaw {
  readonly id: string;
  readonly level: "untested";
  readonly owner: readonly LawOwner[];
  readonly rule: string;
  readonly source: string;
  readonly reason: string;
}

export type AnyLaw = Law | UntestedLaw;

/** The family of a law: the letters before the number, such as `LK`. */
export function familyOf(id: string): string {
  return id.slice(0, id.indexOf("-"));
}
