/** Two things measured side by side: what is claimed, and what it is compared with. */
export interface Comparison {
  /** Median nanoseconds an operation of the subject. */
  readonly subjectNs: number;
  /** Median nanoseconds an operation of the baseline. */
  readonly baselineNs: number;
  /** Median of subject over baseline, round by round: a slow moment of the machine hits both. */
  readonly ratio: number;
}

/** The middle value; the mean of the middle two where the count is even. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Nanoseconds that a call takes. */
export function timed(run: () => void): number {
  const start = process.hrtime.bigint();
  run();
  return Number(process.hrtime.bigint() - start);
}

/**
 * Runs subject and baseline in turn, after rounds that only warm up. Each answers with the nanoseconds that one operation
 * took.
 */
export function compare(subject: () => number, baseline: () => number, rounds = 21, warmUp = 5): Comparison {
  const subjects: number[] = [];
  const baselines: number[] = [];
  const ratios: number[] = [];
  for (let round = -warmUp; round < rounds; round++) {
    const one = subject();
    const other = baseline();
    if (round < 0) continue;
    subjects.push(one);
    baselines.push(other);
    ratios.push(one / other);
  }
  return { subjectNs: median(subjects), baselineNs: median(baselines), ratio: median(ratios) };
}

/** The median of a measurement after rounds that only warm up. */
export function medianOf(measure: () => number, rounds = 15, warmUp = 5): number {
  for (let round = 0; round < warmUp; round++) measure();
  return median(Array.from({ length: rounds }, measure));
}
