/**
 * Runs of a racy program where nothing else is said. A mistake that shows for fifty microseconds is met by about one run in ten
 * under emulation (`test/lab/races.lab.ts`), so that fifty runs miss it once in two hundred times. The number is all that
 * a program has: no clock ends it before, so that a busy machine sees no less than one at rest.
 */
export const RACY_RUNS = 50;

/** What decides how a race is run the nth time, from 0 on: the same for the same seed. */
export function raceSeed(seed: number, run: number): number {
  return (Math.imul(seed, 1_000_003) + run) | 0;
}
