import type { AnyLaw, LawCase } from "../laws/law.ts";
import { type Contender, contendersOf, type Plugin } from "../model/contender.ts";
import { ModelWorld } from "../model/model-world.ts";
import { recordedCase } from "./recorded-program.ts";

const GEOMETRY = "x86-64";

const levels: Readonly<Record<AnyLaw["level"], string>> = {
  required: "required of everybody",
  capability: "for who claims a capability, with the opposite for who does not",
  "model-only": "on the model only, because user space cannot see it",
  untested: "untested",
};

/**
 * A law in words: what must hold, for whom, where that is written, and its programs, each as it goes on the first of the
 * plugins that it applies to. It is run for that, so that what is printed is what is done.
 */
export function explainLaw(law: AnyLaw, plugins: readonly Plugin[]): string {
  const head = [
    `${law.id}  ${law.rule}`,
    "",
    `  level    ${levels[law.level]}`,
    `  owner    ${law.owner.join(", ")}`,
    `  sources  ${law.source}`,
  ];
  if (law.level === "untested")
    return `${[...head, "", `  Nothing here can show it: ${law.reason}.`].join("\n")}\n`;
  const contenders = plugins.flatMap(contendersOf);
  const programs = law.cases.flatMap((lawCase, index) => [
    "",
    ...caseInWords(lawCase, index, law.cases.length, contenders),
  ]);
  return `${[...head, ...programs].join("\n")}\n`;
}

function caseInWords(
  lawCase: LawCase,
  index: number,
  count: number,
  contenders: readonly Contender[],
): readonly string[] {
  const when = lawCase.when === "" ? "" : `, ${lawCase.when}`;
  const about = (lawCase.about ?? ["mapping"]).join(" and ");
  const order = lawCase.schedule === "racy" ? "in every order of the threads' steps" : "in one order";
  const head = [
    `  Program ${count === 1 ? "" : `${index + 1} of ${count}`}${when}`.trimEnd(),
    `    about ${about}; ${order}${provoked(lawCase)}`,
  ];
  for (const on of contenders) {
    const lines = linesOn(lawCase, on);
    if (lines !== undefined) return [...head, `    on ${on.name}:`, ...lines.map((line) => `      ${line}`)];
  }
  return [...head, "    None of these plugins is one that it applies to."];
}

function provoked({ provokes }: LawCase): string {
  const kinds = typeof provokes === "string" ? [provokes] : (provokes ?? []);
  return kinds.length === 0 ? "" : `; it provokes ${kinds.join(" and ")}`;
}

/** What the program does there; undefined where it does not apply. */
function linesOn(lawCase: LawCase, on: Contender): readonly string[] | undefined {
  if (!(lawCase.about ?? ["mapping"]).includes(on.trial)) return undefined;
  const world = new ModelWorld(on, { ...lawCase.machine, geometry: GEOMETRY });
  if (lawCase.excluded?.(world.stage) !== undefined) return undefined;
  const lines: string[] = [];
  const { problems } = world.run(recordedCase(lawCase, (line) => lines.push(line)));
  return [...lines, ...problems.map((problem) => `broken: ${problem}`)];
}
