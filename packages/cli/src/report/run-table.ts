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

/**
 * The runs side by side. Where strategies were run with several pinning policies, each strategy is shown in full with the
 * first of them, and a second table says for every pair whether it holds, and what the pair cost in page-table writes.
 */
export function runTable(runs: readonly RunResult[], width: number | undefined): string {
  const policies = distinct(runs.map(({ pinning }) => pinning));
  const strategies = distinct(runs.map(({ strategy }) => strategy));
  if (policies.length === 1 || strategies.length === 1) return inFull(runs, width);
  const first = strategies.map((name) => runs.find(({ strategy }) => strategy === name) as RunResult);
  return `${inFull(first, width)}\n${pairs(runs, strategies, policies, width)}`;
}

function distinct(names: readonly string[]): readonly string[] {
  return [...new Set(names)];
}

/** Every pair of strategy and policy in a cell of its own. */
function pairs(
  runs: readonly RunResult[],
  strategies: readonly string[],
  policies: readonly string[],
  width: number | undefined,
): string {
  const columns = strategies.map(
    (title): Column => ({
      title,
      cells: policies.map((policy) =>
        showPair(runs.find(({ strategy, pinning }) => strategy === title && pinning === policy)),
      ),
    }),
  );
  return sideBySide(
    policies.map((policy) => `pinned by ${policy}`),
    columns,
    width,
  );
}

function showPair(run: RunResult | undefined): string {
  if (run === undefined) return "-";
  const verdict = run.failures.length === 0 ? pc.green("holds") : pc.red("FAILS");
  return `${verdict}, ${count(run.pteWrites, "write")}`;
}

/** A column for each run, with all that is said of it. */
function inFull(runs: readonly RunResult[], width: number | undefined): string {
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
