/** Schedules to be run: they begin as another one did up to a position, and go on there with one of these tasks. */
export interface Fork {
  readonly schedule: readonly number[];
  readonly at: number;
  readonly tasks: readonly number[];
}

/** Forks of one schedule as plain data, each as its position and its tasks. */
export interface ForkedData {
  readonly schedule: readonly number[];
  readonly forks: readonly (readonly [at: number, tasks: readonly number[]])[];
}

/** In the place of a task: whoever would go on. */
const ANYBODY = -1;

/** The fork of the first schedule of all, of which nothing is known. */
export const FIRST_FORK: Fork = { schedule: [], at: 0, tasks: [ANYBODY] };

/** The tasks that the first of a fork's schedules begins with. */
export function beginningOf({ schedule, at, tasks: [task = ANYBODY] }: Fork): readonly number[] {
  return task === ANYBODY ? [] : [...schedule.slice(0, at), task];
}

/** Forks as plain data, in their order: a schedule is written once for those that follow one another. */
export function dataOfForks(forks: readonly Fork[]): readonly ForkedData[] {
  const data: { schedule: readonly number[]; forks: [number, readonly number[]][] }[] = [];
  for (const { schedule, at, tasks } of forks) {
    const last = data.at(-1);
    if (last?.schedule === schedule) last.forks.push([at, tasks]);
    else data.push({ schedule, forks: [[at, tasks]] });
  }
  return data;
}

/** The forks that `dataOfForks` has written down. */
export function forksOf(data: readonly ForkedData[]): Fork[] {
  return data.flatMap(({ schedule, forks }) => forks.map(([at, tasks]) => ({ schedule, at, tasks })));
}
