import pc from "picocolors";
import type { RunResult } from "../run/run-result.ts";
import { type Column, sideBySide } from "./side-by-side.ts";
import { count, showTime } from "./words.ts";

/** The rows of the table: what is said of a run, and how it reads. */
const rows: readonly (readonly [string, (run: RunResult) => string])[] = [
  ["pinning", (run) => run.pinning],
  ["memory shown", (run) => run.backing],
  ["bytes acquired", (run) => run.acquired.bytes.toLocaleString("en-US")],
  ["SHA-256 begins with", (run) => run.acquired.sha256.slice(0, 12)],
  ["same as the signal", (run) => (isSame(run) ? pc.green("yes") : pc.red("no"))],
  ["faults", (run) => run.faults.toLocaleString("en-US")],
  ["page-table writes", (run) => run.pteWrites.toLocaleString("en-US")],
  ["TLB flushes", (run) => run.tlbFlushes.toLocaleString("en-US")],
  ["TLB shoot-downs", (run) => run.tlbShootdowns.toLocaleString("en-US")],
  ["longest atomic stretch", (run) => count(run.longestAtomic, "operation")],
  ["touched during DMA", (run) => showOutcome(run)],
  ["longest wait", (run) => (run.duringDma.waits > 0 ? showTime(run.duringDma.waitedNs) : "-")],
  ["virtual time", (run) => showTime(run.elapsedNs)],
  ["left over", (run) => (run.leaks === 0 ? pc.green("nothing") : pc.red(count(run.leaks, "thing")))],
  [
    "rules broken",
    (run) => (run.violations === 0 ? pc.green("none") : pc.red(run.violations.toLocaleString("en-US"))),
  ],
];

/** The runs side by side, a column each. */
export function runTable(runs: readonly RunResult[], width: number | undefined): string {
  const columns = runs.map(
    (run): Column => ({ title: run.strategy, cells: rows.map(([, show]) => show(run)) }),
  );
  return sideBySide(
    rows.map(([label]) => label),
    columns,
    width,
  );
}

function showOutcome({ duringDma }: RunResult): string {
  const { outcome, waits, sigbuses } = duringDma;
  if (outcome === "none") return "never";
  return outcome === "sigbus" ? `SIGBUS ${count(sigbuses, "time")}` : `waited ${count(waits, "time")}`;
}

function isSame({ signal, acquired }: RunResult): boolean {
  return signal.sha256 === acquired.sha256 && signal.bytes === acquired.bytes;
}
