/** One line of a benchmark's table: what was measured, and whether it keeps to its bar. */
export interface Bar {
  readonly what: string;
  readonly measured: number;
  readonly unit: string;
  /** The measured value must not be above (`most`) or below (`least`) this; left out for information only. */
  readonly bar?: { readonly most: number } | { readonly least: number };
}

/** Prints the table; a bar that is missed makes the process end with 1. */
export function report(bars: readonly Bar[]): void {
  console.table(
    bars.map(({ what, measured, unit, bar }) => ({
      what,
      measured: `${format(measured)} ${unit}`,
      bar: bar === undefined ? "" : "most" in bar ? `≤ ${bar.most} ${unit}` : `≥ ${bar.least} ${unit}`,
      held: bar === undefined ? "" : isHeld(measured, bar) ? "yes" : "NO",
    })),
  );
  if (bars.some(({ measured, bar }) => bar !== undefined && !isHeld(measured, bar))) process.exitCode = 1;
}

function isHeld(measured: number, bar: NonNullable<Bar["bar"]>): boolean {
  return "most" in bar ? measured <= bar.most : measured >= bar.least;
}

function format(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
