import pc from "picocolors";
import type { UnplugResult } from "../run/unplug-one.ts";
import { type Column, sideBySide } from "./side-by-side.ts";
import { count, showTime } from "./words.ts";

const rows: readonly (readonly [string, (run: UnplugResult) => string])[] = [
  ["pinning", (run) => run.pinning],
  ["pulled out at", (run) => (run.unpluggedAt === undefined ? "too late" : `${run.unpluggedAt} ns`)],
  ["bytes acquired", showAcquired],
  ["transfers cut short", (run) => String(run.aborted)],
  ["the program met", (run) => run.failure ?? "no error"],
  ["woken from the gate", (run) => (run.woken === 0 ? "nobody" : `SIGBUS ${count(run.woken, "time")}`)],
  ["touches ended in SIGBUS", (run) => String(run.sigbus)],
  ["the driver let go after", (run) => showTime(run.removalNs)],
  ["opened afterwards", (run) => run.laterOpen ?? "-"],
  ["left over", ({ leaks }) => (leaks.length === 0 ? pc.green("nothing") : pc.red(leaks.join(", ")))],
  [
    "rules broken",
    ({ violations }) => (violations.length === 0 ? pc.green("none") : pc.red(String(violations.length))),
  ],
];

/** The runs side by side, a column for each strategy. */
export function unplugTable(runs: readonly UnplugResult[], width: number | undefined): string {
  const columns = runs.map(
    (run): Column => ({ title: run.strategy, cells: rows.map(([, show]) => show(run)) }),
  );
  return sideBySide(
    rows.map(([label]) => label),
    columns,
    width,
  );
}

/** What came of it, in a sentence, with what went wrong under it. */
export function unplugSentence(runs: readonly UnplugResult[]): string {
  const failed = runs.filter(({ broken }) => broken.length > 0);
  if (runs.every(({ unpluggedAt }) => unpluggedAt === undefined) && failed.length === 0) {
    return `${pc.yellow("Nothing was pulled out:")} the acquisition was over by then.\n`;
  }
  if (failed.length === 0) {
    return `${pc.green("Kept:")} whoever needed the card was told so, nobody waits for it, and nothing is left over.\n`;
  }
  const details = failed.map(
    ({ strategy, pinning, broken }) => `  ${strategy} with ${pinning}: ${broken.join("; ")}`,
  );
  return `${[pc.red("Broken:"), ...details].join("\n")}\n`;
}

function showAcquired({ acquired, signalBytes }: UnplugResult): string {
  return `${acquired.toLocaleString("en-US")} of ${signalBytes.toLocaleString("en-US")}`;
}
