/**
 * The bugs of the list that took two at once, as far as mutants re-enact them: a search of the orders of steps has to catch
 * each. Some are wrong in every order that lets the second one in, so that the first run catches them.
 */
export const concurrentBugs: ReadonlySet<string> = new Set([
  "B12",
  "B14",
  "B17",
  "B21",
  "B25",
  "B29",
  "B31",
  "B32",
  "B34",
  "B36",
  "B37",
  "B38",
  "B39",
  "B41",
  "B42",
  "B48",
  "B49",
  "B50",
  "B55",
  "B56",
  "B57",
  "B61",
  "B62",
  "B67",
]);
