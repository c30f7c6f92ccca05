import { readdirSync, readFileSync } from "node:fs";
import { eagerRemap } from "@nopage/eager-remap";
import { lazyNopage } from "@nopage/lazy-nopage";
import { intervalMirror, notifierMirror } from "@nopage/notifier-mirror";
import { pageLookup } from "@nopage/page-lookup";
import { pfnNopage } from "@nopage/pfn-nopage";
import type { RandomStep } from "@nopage/testkit/random";
import type { SequenceEnd } from "../../src/random/compare-sequence.ts";

/** A sequence on which the model and Linux once did not agree, and what it comes to on Linux. */
export interface Finding {
  readonly subject: string;
  readonly why: string;
  readonly steps: readonly RandomStep[];
  readonly outcomes: readonly string[];
  readonly areas: readonly string[];
}

const FOLDER = new URL("./findings/", import.meta.url);

/** All of them, with what each is about. */
export const findings: readonly Finding[] = readdirSync(FOLDER)
  .sort()
  .map((name) => JSON.parse(readFileSync(new URL(name, FOLDER), "utf8")) as Finding);

/** What stands on the model's side of their subjects. */
export const plugins = [eagerRemap, lazyNopage, pageLookup, pfnNopage, notifierMirror, intervalMirror];

/** What a run came to, in the form of a finding. */
export function asFound({ problems, outcomes, areas }: SequenceEnd) {
  return { problems, outcomes: outcomes.map(({ outcome }) => outcome), areas };
}

/** What it has to come to. */
export function expectedOf({ outcomes, areas }: Finding) {
  return { problems: [], outcomes, areas };
}
