/** Runs that are drawn before it is looked at what they have shown, at most. */
const MOST = 4096;

/**
 * The end of the round of runs that begins with a given one. What runs have shown changes how later ones are drawn from
 * the next round on only, so that those of a round can be made in any order and by anybody. Rounds double: 1, 1, 2, 4, ….
 */
export function endOfRound(begin: number, runs: number): number {
  return Math.min(runs, begin + Math.min(Math.max(1, begin), MOST));
}
