import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import {
  asJson,
  asJUnit,
  asMarkdown,
  conformanceDocument,
  explainLaw,
  type LawResult,
  resultsOf,
  selectLaws,
} from "@nopage/testkit/conform";
import { builtInRegistry } from "../built-in-plugins.ts";
import { readConfiguration } from "../config/read-configuration.ts";
import { checkConform } from "../conform/check-conform.ts";
import { type Conformable, findConformable, namesOf } from "../conform/find-conformable.ts";
import { conformTable } from "../report/conform-table.ts";
import { UsageError } from "../usage-error.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import type { Output } from "./output.ts";

/** The flags of `nopage conform`, as they were written. */
export interface ConformFlags {
  readonly config?: string;
  readonly law?: readonly string[];
  readonly geometry?: readonly string[];
  readonly junit?: string;
  readonly markdown?: string;
  readonly explain?: string;
}

/** `nopage conform`: holds plugins to the laws, or tells what a law is. */
export async function conform(
  names: readonly string[],
  flags: ConformFlags,
  format: "table" | "json",
  output: Output,
): Promise<ExitCode> {
  const registry = builtInRegistry();
  const { config } = flags;
  const configuration = await readConfiguration(
    output.directory,
    config === undefined ? {} : { config },
    registry,
  );
  const { plugins, problems: unknown } = await findConformable(names, output.directory, registry);
  const { geometries, problems } = checkConform(flags, format, output.directory, namesOf(registry));
  const all = [...configuration.problems, ...unknown, ...problems];
  if (all.length > 0) throw new UsageError(all);
  if (flags.explain !== undefined) {
    const [law] = selectLaws([flags.explain]);
    if (law !== undefined) output.print(explainLaw(law, plugins));
    return exitCodes.holds;
  }
  const laws = selectLaws(flags.law);
  const results = plugins.flatMap((plugin, index) => {
    const which = `${plugin.name} (${index + 1} of ${plugins.length})`;
    return holdToLaws(plugin, { laws: laws.map(({ id }) => id), geometries }, (law) =>
      output.progress(`${which}: ${law}`),
    );
  });
  output.progress(undefined);
  const document = conformanceDocument(laws, results);
  if (flags.junit !== undefined) writeFileSync(resolve(output.directory, flags.junit), asJUnit(document));
  if (flags.markdown !== undefined) {
    writeFileSync(resolve(output.directory, flags.markdown), asMarkdown(document));
  }
  output.print(format === "json" ? asJson(document) : conformTable(document, output.columns));
  return results.some(({ status }) => status === "fail") ? exitCodes.broken : exitCodes.holds;
}

function holdToLaws(
  plugin: Conformable,
  options: Parameters<typeof resultsOf>[1],
  announce: (law: string) => void,
): readonly LawResult[] {
  const results: LawResult[] = [];
  for (const result of resultsOf(plugin, options)) {
    if (results.at(-1)?.law !== result.law) announce(result.law);
    results.push(result);
  }
  return results;
}
