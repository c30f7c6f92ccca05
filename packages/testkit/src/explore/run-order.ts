import { HappensBefore } from "./happens-before.ts";
import type { Moment, RunEnd } from "./search.ts";
import type { Dependence, Step } from "./step.ts";

/** Follows a run step by step and knows which of its steps come before which. */
export class RunOrder {
  /** Its steps, and how they are ordered. */
  readonly order: HappensBefore;
  readonly #causes = new Map<number, Step>();
  /** Steps that could have come the other way round, by their positions, in the order of the later ones. */
  readonly races: { readonly earlier: number; readonly later: number }[] = [];
  readonly #found: number[] = [];
  /** The step that was chosen last, of which is not yet known what else it touched. */
  #chosen: Step | undefined = undefined;
  #cause: Step | undefined = undefined;

  readonly #dependence: Dependence;
  /** By position, what is known not to come after it. */
  #asked: (ReadonlySet<Step> | undefined)[] = [];

  constructor(dependence: Dependence) {
    this.#dependence = dependence;
    this.order = new HappensBefore(dependence);
  }

  /** The task goes on from here. */
  take(moment: Moment, task: number): void {
    this.#settleLast(moment, moment.caused());
    if (moment.hasTimeMoved()) this.order.markBarrier();
    this.#chosen = moment.nextStep(task);
    this.#cause = this.#causes.get(task);
    this.#causes.delete(task);
  }

  /** Whether the step at position `at` is the one at `later`, or comes before it in every equal run. */
  isBefore(at: number, later: number): boolean {
    const step = this.order.steps[later];
    return at === later || (at < later && step !== undefined && !this.#notAfter(at).has(step));
  }

  /** The steps that do not come after the one at a position, looked for once they are asked for of a run that is over. */
  #notAfter(at: number): ReadonlySet<Step> {
    const length = this.order.steps.length;
    if (this.#asked.length !== length) this.#asked = Array.from({ length }, () => undefined);
    this.#asked[at] ??= new Set(this.order.notAfter(at));
    return this.#asked[at];
  }

  /** Whether the step at `later` could not have been taken before the one at `earlier`, which woke its task or gave back its lock. */
  waitsFor(earlier: number, later: number): boolean {
    const [one, other] = [this.order.steps[earlier], this.order.steps[later]];
    if (one === undefined || other === undefined) return false;
    return other.cause === one || this.#dependence.isHandOver(one, other);
  }

  /** The run is over. */
  end(end: RunEnd): void {
    this.#settleLast(end, []);
  }

  #settleLast(noted: Pick<Moment, "notedObjects" | "notedAccesses">, caused: readonly number[]): void {
    if (this.#chosen === undefined) return;
    const step = this.#chosen.completed(noted, this.#cause);
    this.order.add(step, this.#found);
    const later = this.order.steps.length - 1;
    for (const earlier of this.#found) this.races.push({ earlier, later });
    this.#found.length = 0;
    for (const task of caused) this.#causes.set(task, step);
    this.#chosen = undefined;
  }
}

/** A number of 53 bits for a text: different texts have different ones but for a chance of 2^-53 each. */
export function hashOf(text: string): number {
  let [high, low] = [0x9e3779b9, 0x85ebca6b];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    high = Math.imul(high ^ code, 0x9e3779b1);
    low = Math.imul(low ^ code, 0x5f356495);
    high ^= high >>> 15;
    low ^= low >>> 13;
  }
  return (high >>> 11) * 2 ** 32 + (low >>> 0);
}
