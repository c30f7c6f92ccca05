/** How a search is divided: numbers that change nothing in what is found, but for which of equal runs are made. */
export interface Division {
  /** Runs of the first part, which is not divided. */
  readonly first: number;
  /** Parts that are explored at the same time, at most, and the runs of each until they are divided anew. */
  readonly parts: number;
  readonly runs: number;
}

/** So few runs that small searches are over before they are divided, and so many that handing out parts costs little. */
export const usualDivision: Division = { first: 500, parts: 32, runs: 250 };
