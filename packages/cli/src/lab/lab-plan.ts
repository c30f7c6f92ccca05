import type { Problem } from "@nopage/core/wiring";
import {
  type GuestModule,
  kernelOf,
  labRequirements,
  modelSideOf,
  type SubjectDefinition,
} from "@nopage/linux-lab";
import { conformablePlugins } from "../built-in-plugins.ts";
import { checkFile, checkLaw } from "../conform/check-conform.ts";
import { UsageError } from "../usage-error.ts";
import { checkReleases, findModules } from "./find-modules.ts";
import { findSubjects, namesOf } from "./find-subjects.ts";
import { type LabNumbers, readNumbers } from "./lab-numbers.ts";

/** The flags of `nopage lab`, as they were written. */
export interface LabFlags {
  readonly subject?: readonly string[];
  readonly law?: readonly string[];
  readonly module?: readonly string[];
  readonly jobs?: string;
  readonly random?: string;
  readonly seed?: string;
  readonly runs?: string;
  readonly markdown?: string;
}

/** What is run, once every flag was read. */
export interface LabPlan extends LabNumbers {
  readonly subjects: readonly SubjectDefinition[];
  readonly modules: readonly GuestModule[];
}

/**
 * Reads the flags.
 *
 * @throws UsageError with all that is wrong with them, or missing on this machine
 */
export async function readLabPlan(flags: LabFlags, directory: string): Promise<LabPlan> {
  const named = (flags.subject ?? []).flatMap((word) => word.split(","));
  const { subjects, problems: unknown } = await findSubjects(named, directory);
  const { modules, problems: unread } = findModules(flags.module ?? [], directory);
  const { problems: uncounted, ...numbers } = readNumbers(flags);
  throwIfAny([
    ...unknown,
    ...(flags.law ?? []).flatMap(checkLaw),
    ...unread,
    ...uncounted,
    ...checkFile("--markdown", flags.markdown, directory),
    ...(flags.random === undefined ? [] : checkRandom(flags, subjects)),
  ]);
  throwIfAny(missingFor(subjects));
  throwIfAny(checkReleases(modules, [...new Set(subjects.map((subject) => kernelOf(subject).release))]));
  return { subjects, modules, ...numbers };
}

function throwIfAny(problems: readonly Problem[]): void {
  if (problems.length > 0) throw new UsageError(problems);
}

/** What random sequences cannot have beside them, and subjects that there is nothing to compare with. */
function checkRandom(
  { law, markdown, runs }: LabFlags,
  subjects: readonly SubjectDefinition[],
): readonly Problem[] {
  const beside = (path: string, value: string | undefined): readonly Problem[] => {
    const expected =
      "no --random beside it, which runs sequences in place of laws and tells them on the output alone";
    return value === undefined ? [] : [{ path, value, expected, nearest: undefined }];
  };
  const strange = subjects.filter((subject) => !isOnModel(subject)).map(({ name }) => name);
  const known = namesOf(isOnModel).filter((name) => !name.includes("."));
  const expected = `with --random a subject that the model has as well, to compare with: ${known.join(", ")}, or one of their kinds; left out: all of them`;
  return [
    ...beside("--law", law?.join(" ")),
    ...beside("--markdown", markdown),
    ...beside("--runs", runs),
    ...(strange.length === 0
      ? []
      : [{ path: "--subject", value: strange.join(","), expected, nearest: undefined }]),
  ];
}

function isOnModel(subject: SubjectDefinition): boolean {
  return modelSideOf(subject, conformablePlugins) !== undefined;
}

/** What this machine has to have for the subjects, and has not. */
function missingFor(subjects: readonly SubjectDefinition[]): readonly Problem[] {
  const missing = new Map(
    subjects
      .flatMap(({ kernel, builds }) => labRequirements(kernel, builds))
      .filter(({ ok }) => !ok)
      .map(({ name, detail }) => [name, detail]),
  );
  return [...missing].map(([path, expected]) => ({ path, value: undefined, expected, nearest: undefined }));
}
