import type { SubjectDefinition } from "../subject/lab-subject.ts";

/** Guests in a row, each a fresh one, on which a subject may not come up. */
const MOST_FAILURES = 3;

/** How a subject could be set up so far. */
interface Tally {
  readonly failures: number;
  readonly why: string;
}

/** Keeps count of subjects that cannot be set up: one that fails again and again is not tried any further. */
export class SetUps {
  readonly #tallies = new Map<SubjectDefinition, Tally>();

  worked(subject: SubjectDefinition): void {
    this.#tallies.delete(subject);
  }

  failed(subject: SubjectDefinition, why: string): void {
    const { failures } = this.#tallies.get(subject) ?? { failures: 0 };
    this.#tallies.set(subject, { failures: failures + 1, why });
  }

  /** Why a subject is not tried any further; undefined while it is. */
  whyNoMore(subject: SubjectDefinition): string | undefined {
    const tally = this.#tallies.get(subject);
    if (tally === undefined || tally.failures < MOST_FAILURES) return undefined;
    return `it could not be set up on ${tally.failures} fresh guests in a row: ${tally.why}`;
  }
}
