import type { ParityResult, Race, RaceOutcome } from "@nopage/linux-lab";
import { count } from "./words.ts";

/** Outcomes that are allowed and were not seen are listed up to so many. */
const MOST_UNSEEN = 12;

/** A racy program, and how much was seen of it. */
export function raceInWords(law: string, race: Race): string {
  const { program, runs, search, outcomes } = race;
  const seen = seenIn(race);
  const name = program === "" ? law : `${law}, ${program}`;
  const times = `in ${count(runs, "run")}`;
  if (search === "none") return `${name}: ${count(seen.length, "outcome")} seen ${times}`;
  const allowed = outcomes.filter((one) => one.allowed === "yes");
  const met = allowed.filter((one) => one.times > 0).length;
  return search === "complete"
    ? `${name}: ${met} of ${allowed.length} allowed outcomes seen ${times}`
    : `${name}: ${met} of at least ${allowed.length} allowed outcomes seen ${times}; the model was not searched to the end`;
}

/** Each outcome of a race, with how often it was seen. */
export function outcomesInWords(race: Race): readonly string[] {
  const unseen = race.outcomes.filter(({ times }) => times === 0);
  const told = unseen.slice(0, MOST_UNSEEN).map(({ outcome }) => `not seen: ${outcome}`);
  const more = unseen.length - told.length;
  return [
    ...seenIn(race).map((one) => `${one.times}× ${one.outcome}${standing(one, race)}`),
    ...told,
    ...(more === 0 ? [] : [`not seen: ${count(more, "outcome")} more`]),
  ];
}

/** Races whose outcomes are to be told, each with its law. */
export function racesOf(
  results: readonly ParityResult[],
): readonly { readonly law: string; readonly subject: string; readonly race: Race }[] {
  return results.flatMap(({ law, subject, races }) => races.map((race) => ({ law, subject, race })));
}

function seenIn({ outcomes }: Race): readonly RaceOutcome[] {
  return outcomes.filter(({ times }) => times > 0);
}

function standing({ allowed }: RaceOutcome, { search }: Race): string {
  if (allowed === "no") return " (the model does not allow it)";
  return allowed === "unknown" && search === "incomplete" ? " (not met by the search of the model)" : "";
}
