import type { Answered, Handed } from "./part-kinds.ts";
import type { BranchData, StepData } from "./step-data.ts";

/**
 * A part of an optimal search as plain data: what begins at one state of the tree of schedules, or what is left of that.
 *
 * What makes parts independent of each other. A search takes the branches of a state from left to right, and each step
 * taken sleeps in what is right of it. A leaf of a wake-up tree is a state in which nothing sleeps: a beginning is only ever
 * added where each step that sleeps depends on some step of the beginning. So the search below a leaf is an optimal
 * search by itself. It runs every trace from there once, whatever is done elsewhere and when. It may ask for beginnings at
 * states above it, and nobody has to ask it for anything.
 *
 * Between the leaves are the states inside wake-up trees. There something may sleep, and below such a state a beginning
 * may be left out because a sleeping step is independent of all of it: who took that step further left asks for a longer
 * one, if there is one, at the state where they part. So these states belong to the owner of the tree (`SearchTree`),
 * and it keeps them until all that is left of them is over:
 *
 * - What the races of a part ask of states above it is only told to the owner, at any later time.
 * - The owner adds a beginning as an undivided search does, only that branches which have been begun are still there: it
 *   goes down into them as into those that wait. A leaf takes in all that begins with it, begun, over or neither. So does
 *   a state that is not kept any more, as all that could ask for something left out there is over.
 * - A step that sleeps because of what is above the state need not be looked at on the way down: a beginning that could
 *   start with it would have been left out or taken there before, in the place further left.
 *
 * It is as if the owner had heard of all that is asked for from the left before it began a branch, as an undivided search
 * has: what is asked for is put in the same place, and what has been run meanwhile is there already. Hence the parts make
 * the same number of runs as the undivided search, one for each trace, and give none up, however it is cut and in which
 * order its parts are explored. (They may be other runs of the same traces.)
 *
 * A step has to sleep with all that it touches when it is taken from that state, which a waiting branch does not say in
 * full. So of two branches from one state the later one is begun only when the steps of the earlier one are known.
 */
export interface SubTreeTask extends Handed {
  readonly algorithm: "optimal";
  /** The tasks of the program that lead to the last state, by number. */
  readonly prefix: readonly number[];
  /** The states of the owner on the way, the first state of all first. */
  readonly spine: readonly SpineNode[];
  /**
   * The states of the part itself on the way, where it was begun before. From the last one its first branch is taken.
   * Where there are none, the part begins at the first leaf of the first branch of the owner's last state; at the
   * first state of all where that has none either.
   */
  readonly open: readonly OpenNode[];
}

/** A state as plain data: steps that need not be taken from it, and beginnings that have to be. */
export interface NodeData {
  readonly sleep: readonly StepData[];
  readonly branches: readonly BranchData[];
}

/** A state of the owner. */
export interface SpineNode extends NodeData {
  /** Tasks of sleeping steps whose branches the owner may still go down into. */
  readonly kept: readonly number[];
}

/** A state of a part on the way to where it was left. */
export interface OpenNode extends NodeData {
  /** So many of the sleeping steps slept when it was first entered. */
  readonly inherited: number;
  /** Runs through it so far. */
  readonly executions: number;
  /** The step on the way to the next one; left out for the last, where the next branch begins. */
  readonly step?: StepData;
}

/** A race with a step from a state of the owner: a beginning that may have to be run from there. */
export interface Request {
  /** Steps before the state. */
  readonly depth: number;
  /** Its steps, by their positions in the answer. */
  readonly beginning: readonly number[];
}

/** What came of a part of a search. */
export interface SubTreeAnswer extends Answered {
  /** The steps from the owner's last state to the first one of the part, in full; of a part that was begun before the last of them. */
  readonly first: readonly StepData[];
  /** Steps that requests speak of; a cause is given by its position among these. */
  readonly steps: readonly StepData[];
  readonly requests: readonly Request[];
  /** What remains, as states of the part; none when it was run to its end. */
  readonly open: readonly OpenNode[];
}
