import type { RacyProgram } from "@nopage/testkit";
import type { Progress } from "../explore/explore-programs.ts";
import { count, rounded } from "./words.ts";

/** How far the exploration of a program has come, for a person who waits. */
export function progressInWords(
  { law, contender }: Pick<RacyProgram, "law" | "contender">,
  { executions, each, made, seconds, remaining }: Progress,
): string {
  const speed = Math.round(made / Math.max(seconds, 0.001));
  const runs = `${law}, ${contender.name}: ${count(executions, "execution")}`;
  const traces = each === "trace" ? ", one for each trace" : "";
  const left =
    remaining === undefined ? "" : `; about ${rounded(remaining)} remain${timeFor(remaining, speed)}`;
  return `${runs}${traces}, ${rounded(speed)} a second${left}`;
}

function timeFor(runs: number, speed: number): string {
  if (runs === 0 || speed === 0) return "";
  const seconds = runs / speed;
  if (seconds < 60) return `, ${Math.ceil(seconds)} s`;
  const minutes = seconds / 60;
  return minutes < 120 ? `, ${Math.ceil(minutes)} min` : `, ${rounded(Math.ceil(minutes / 60))} h`;
}
