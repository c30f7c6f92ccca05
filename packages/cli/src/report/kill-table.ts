import pc from "picocolors";
import type { KillResult } from "../run/kill-one.ts";
import { type Column, sideBySide } from "./side-by-side.ts";
import { showTime } from "./words.ts";

const rows: readonly (readonly [string, (run: KillResult) => string])[] = [
  ["strategy", (run) => run.strategy],
  ["bytes moved by DMA", (run) => run.bytes.toLocaleString("en-US")],
  ["transfers cut short", (run) => String(run.aborted)],
  ["killed at", (run) => (run.killedAt === undefined ? "too late" : `${run.killedAt} ns`)],
  ["the dying process waited", (run) => showTime(run.dyingNs)],
  ["longest wait at the mapping", (run) => showTime(run.watcherNs)],
  ["kept in quarantine", (run) => (run.quarantinedPages === 0 ? "nothing" : `${run.quarantinedPages} pages`)],
  [
    "left over at the end",
    (run) => (run.leaks.length === 0 ? pc.green("nothing") : pc.red(run.leaks.join(", "))),
  ],
  [
    "rules broken",
    ({ violations }) => (violations.length === 0 ? pc.green("none") : pc.red(String(violations.length))),
  ],
  ["promised to be safe", (run) => (run.promised ? "yes" : "no")],
  ["promise kept", showPromise],
];

/** The runs side by side, a column for each policy and strategy. */
export function killTable(runs: readonly KillResult[], width: number | undefined): string {
  const columns = runs.map(
    (run): Column => ({ title: run.pinning, cells: rows.map(([, show]) => show(run)) }),
  );
  return sideBySide(
    rows.map(([label]) => label),
    columns,
    width,
  );
}

/** What came of it, in a sentence, with what went wrong under it. */
export function killSentence(runs: readonly KillResult[]): string {
  const broken = runs.filter((run) => run.broken.length > 0);
  const details = runs.filter(({ harm }) => harm.length > 0).map(describeHarm);
  const heading =
    broken.length === 0
      ? whatWasKept(runs)
      : `${pc.red("Broken:")} ${broken.map(({ pinning }) => pinning).join(", ")} did worse than promised.`;
  return `${[heading, ...details].join("\n")}\n`;
}

/** A promise about the death of a process is kept only where one died. */
function whatWasKept(runs: readonly KillResult[]): string {
  const alive = runs.filter(({ killedAt }) => killedAt === undefined);
  if (alive.length === runs.length) {
    return `${pc.yellow("Nobody was killed:")} the acquisition was over by then, so no promise was put to the test.`;
  }
  const late = alive.map(({ strategy, pinning }) => `${strategy} with ${pinning}`).join(", ");
  const kept = `${pc.green("Kept:")} no policy did worse than it says.`;
  return alive.length === 0 ? kept : `${kept} Nobody was killed, so nothing is said of: ${late}.`;
}

/** The first harm of each kind, and how many there were. */
function describeHarm({ strategy, pinning, harm, promised }: KillResult): string {
  const kindOf = (what: string) => what.split(":")[0];
  const phrases = harm
    .filter((what, index) => harm.findIndex((other) => kindOf(other) === kindOf(what)) === index)
    .map((first) => {
      const more = harm.filter((what) => kindOf(what) === kindOf(first)).length - 1;
      return more === 0 ? first : `${first}, and ${more} more of that kind`;
    });
  const who = `${strategy} with ${pinning}${promised ? "" : " (which promises nothing for this)"}`;
  return `  ${who}: ${phrases.join("; ")}`;
}

function showPromise({ broken, promised, killedAt }: KillResult): string {
  if (broken.length > 0) return pc.red("no");
  return promised && killedAt !== undefined ? pc.green("yes") : "-";
}
