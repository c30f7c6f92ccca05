import { basename } from "node:path";
import type { WorldSettings } from "@nopage/core/wiring";
import type { Signal } from "@nopage/device-highway";
import pc from "picocolors";
import type { ChooserConfig } from "../config/config.ts";
import type { RunResult } from "../run/run-result.ts";
import { andList, count } from "./words.ts";

const MOST_LINES = 8;

/** What is about to be looked at: the device, the signal and the machine. */
export function openingSentence(signal: Signal, settings: WorldSettings, chooser: ChooserConfig): string {
  const { geometry = "x86-64", cpus = 2 } = settings.machine ?? {};
  const { bytes, name, channels } = signal;
  return [
    `${pc.bold(settings.device.name)} acquires ${pc.bold(name)}: ${count(bytes.length, "byte")}, ${count(channels, "channel")} of 16 bits.`,
    `The machine: ${geometry}, ${count(cpus, "CPU")}; ${orderOf(chooser)}.`,
    "",
  ].join("\n");
}

function orderOf(chooser: ChooserConfig): string {
  if (chooser === "run-to-block") return "each task runs until it sleeps";
  if ("replay" in chooser) return `tasks interleave as recorded in ${basename(chooser.replay)}`;
  return `tasks interleave at random, seed ${chooser.random}`;
}

/** What came of the runs, in a sentence, or in one for each thing that does not hold. */
export function closingSentence(runs: readonly RunResult[]): string {
  const failed = runs.filter(({ failures }) => failures.length > 0);
  if (failed.length === 0) return `${pc.green("It holds:")} ${whatHolds(runs)}\n`;
  const heading = `${pc.red("It does not hold:")} ${failed.length} of ${count(runs.length, "run")} failed.`;
  return `${[heading, ...failed.flatMap(details)].join("\n")}\n`;
}

/** The first of its failures, a line each, as a broken rule is often broken in many places; and the first of those in full. */
function details({ strategy, pinning, failures, firstViolation }: RunResult): readonly string[] {
  const lines = failures.slice(0, MOST_LINES).map((failure) => `  ${strategy} with ${pinning}: ${failure}`);
  const more = failures.length - lines.length;
  if (more > 0) lines.push(`  and ${more} more; --json has them all`);
  if (firstViolation === "") return lines;
  return [...lines, "  the first violation:", ...firstViolation.split("\n").map((line) => `    ${line}`)];
}

function whatHolds(runs: readonly RunResult[]): string {
  const strategies = [...new Set(runs.map(({ strategy }) => strategy))];
  const on = strategies.length === 1 ? strategies.join() : `each of ${andList(strategies)}`;
  return `every byte of the signal arrived on ${on}; nobody touched the card while DMA ran, and nothing is left over.`;
}
