/** What is broken, of a problem that a report may follow. */
export function firstLine(problem: string): string {
  return problem.split("\n", 1).join();
}
