import type { GeometryName } from "@nopage/core";
import { allLaws } from "../laws/all-laws.ts";
import { contendersOf, type Plugin } from "../model/contender.ts";
import { type LeftOut, shortenedCase } from "./left-out.ts";
import type { Minimised } from "./minimise.ts";
import { canonicalText } from "./program/canonical-text.ts";
import type { RacyProgram } from "./racy-programs.ts";
import { type LawReplay, type RecordedStep, replayLaw, ScheduleMisfit, settingOf } from "./replay-law.ts";

/** A failing run as plain data: all that it takes to run it again, but for the code. */
export interface SavedRun {
  readonly law: string;
  /** The position of the program among those of its law, and what tells it apart in words. */
  readonly program: number;
  readonly when: string;
  /** The plugin and its situation, such as `lazy-nopage on page-array`. */
  readonly contender: string;
  readonly geometry: GeometryName;
  /** The options of the machine, as JSON has them. */
  readonly machine: Readonly<Record<string, unknown>>;
  readonly preemptions: number;
  /** What of the program is left out; nothing in files of before that could be. */
  readonly leftOut?: readonly LeftOut[] | undefined;
  /** The steps whose order makes the difference, by position; undefined where there are no two such steps. */
  readonly met?: readonly [number, number] | undefined;
  /** The steps in their order, up to the one after which the failure was known. */
  readonly schedule: readonly RecordedStep[];
  readonly problems: readonly string[];
}

/** A failing run, ready to be saved. */
export function savedRun(
  { law, index, lawCase, contender }: RacyProgram,
  geometry: GeometryName,
  { replay, preemptions, leftOut, met }: Minimised,
): SavedRun {
  return {
    law,
    program: index,
    when: lawCase.when,
    contender: contender.name,
    geometry,
    machine: asData(settingOf(lawCase, contender, geometry).machine),
    preemptions,
    leftOut,
    met,
    schedule: replay.steps
      .slice(0, replay.failedAt + 1)
      .map(({ task, name, does }) => ({ task, name, does })),
    problems: replay.problems,
  };
}

/**
 * Runs a saved failure again, on the plugin that it was found in.
 *
 * @throws ScheduleMisfit when the law, the program, the plugin's situation or the machine is no more what it was, or a step
 *   differs, with what was recorded and what was found
 */
export function replaySaved(saved: SavedRun, plugin: Plugin): LawReplay {
  const law = allLaws.find(({ id }) => id === saved.law);
  const lawCase = law === undefined || law.level === "untested" ? undefined : law.cases[saved.program];
  if (lawCase === undefined || lawCase.when !== saved.when) {
    throw new ScheduleMisfit(
      `recorded was program ${saved.program + 1} of ${saved.law}, "${saved.when}"; found was ${lawCase === undefined ? "none" : `"${lawCase.when}"`}`,
    );
  }
  const contenders = contendersOf(plugin);
  const contender = contenders.find(({ name }) => name === saved.contender);
  if (contender === undefined) {
    const found = contenders.map(({ name }) => name).join(", ");
    throw new ScheduleMisfit(`recorded was ${saved.contender}; found were ${found}`);
  }
  const setting = settingOf(lawCase, contender, saved.geometry);
  // In whatever order they were written.
  const [recorded, found] = [saved.machine, asData(setting.machine)].map((one) => canonicalText(one, "it"));
  if (recorded !== found) {
    throw new ScheduleMisfit(`recorded was a machine with ${recorded}; found was one with ${found}`);
  }
  return replayLaw({ ...setting, lawCase: shortenedCase(lawCase, saved.leftOut ?? []) }, saved.schedule);
}

/** What JSON keeps of options. */
function asData(options: object): Readonly<Record<string, unknown>> {
  return JSON.parse(JSON.stringify(options)) as Readonly<Record<string, unknown>>;
}
