import type { PartAnswer, PartKind, PartTask } from "./part-kinds.ts";

/** How a search of one kind goes from round to round: which parts there are, and what comes of what came of them. */
export interface Course<K extends PartKind> {
  readonly isOver: boolean;
  /** Whether all there is was run, once it is over. */
  readonly coversAll: boolean;
  /**
   * What the runs amount to, beside their number, those of parts of the round included: a phrase, empty where there is
   * nothing to add.
   */
  coverage(answers: readonly (PartAnswer<K> | undefined)[]): string;
  /** Begins a round: by part, the runs that it may take until the next one; at least one part unless all is over. */
  beginRound(): readonly number[];
  /** A part of the round as it is handed out; where it goes on when something has come of it already. */
  task(part: number, handed: Pick<PartTask<K>, "budget" | "atFailure">, before?: PartAnswer<K>): PartTask<K>;
  /** Whether nothing is left of a part. */
  isEnd(answer: PartAnswer<K>): boolean;
  /** What came of a part that was explored in two goes, but for its runs and failures. */
  joined(one: PartAnswer<K>, other: PartAnswer<K>): PartAnswer<K>;
  /** Takes in what came of the parts of the round, in their order. */
  takeIn(answers: readonly PartAnswer<K>[]): void;
  /** Runs there may be in all, by what was seen so far; undefined where there is no telling. */
  size(answers: readonly (PartAnswer<K> | undefined)[]): number | undefined;
  /** All that it takes to go on from the beginning of the round, as plain data. */
  readonly data: unknown;
}
