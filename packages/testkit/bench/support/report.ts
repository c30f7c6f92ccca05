/** One line of a benchmark's table: what was measured, and the bar that it must not be below; none for information. */
export interface Bar {
  readonly what: string;
  readonly measured: number;
  /** The best round, which other processes disturbed least. */
  readonly best: number;
  readonly unit: string;
  readonly least?: number;
}

/** Prints the table; a bar that is missed makes the process end with 1. */
export function report(bars: readonly Bar[]): void {
  console.table(
    bars.map(({ what, measured, best, unit, least }) => ({
      what,
      median: `${inWords(measured)} ${unit}`,
      best: inWords(best),
      bar: least === undefined ? "" : `≥ ${inWords(least)}`,
      held: least === undefined ? "" : measured >= least ? "yes" : "NO",
    })),
  );
  if (bars.some(({ measured, least }) => least !== undefined && measured < least)) process.exitCode = 1;
}

function inWords(value: number): string {
  return Math.round(value).toLocaleString("en");
}
