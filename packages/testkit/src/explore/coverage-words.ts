import type { PriorityBound } from "./priority-odds.ts";

/** What a search with a bound on preemptions has covered, by number of preemptions. */
export function tracesInWords(traces: readonly number[]): string {
  const parts = traces.map((count, preemptions) => `${count} with ${preemptions}`);
  return `traces with at most so many preemptions: ${parts.join(", ")}`;
}

/** How runs came about that nothing is promised of. */
export function drawnInWords(seed: number): string {
  return `drawn at random, seed ${seed}`;
}

/** What runs by priorities promise, the first of which only looked. */
export function boundInWords(
  { tasks, steps, runs, probability }: PriorityBound,
  { executions, depth, seed }: { readonly executions: number; readonly depth: number; readonly seed: number },
): string {
  const percent = `${Number((100 * probability).toPrecision(3))} %`;
  const others = executions - runs;
  const apart =
    others > 1
      ? `; ${others} before them, drawn from fewer steps than a run turned out to have, promise nothing`
      : "";
  return `by random priorities, seed ${seed}: n = ${tasks} tasks, k = ${steps} steps, d = ${depth}, ${runs} runs with these; a bug of depth ${depth} was met with a probability of at least 1-(1-1/(n*k^(d-1)))^runs = ${percent}${apart}`;
}

/** What it means that an optimal search has given up runs, which it never does as long as all accesses are announced as they are. */
export function givenUpInWords(runs: number): string {
  if (runs === 0) return "";
  return `${runs} of its runs came to nothing new, which tells that something is touched otherwise than is announced: orders may be missing`;
}
