import type { LawResult } from "../run/results.ts";
import type { ConformanceDocument } from "./document.ts";

/**
 * The document as JUnit XML, as build servers read it: a suite for each plugin and geometry, a test case for each law. What
 * does not apply, or cannot be shown, is skipped with its reason.
 */
export function asJUnit({ laws, results }: ConformanceDocument): string {
  const rules = new Map(laws.map(({ id, rule }) => [id, rule]));
  const suites = [...suitesOf(results)].map(([name, cases]) =>
    [
      `  <testsuite${attributes({ name, ...countsOf(cases) })}>`,
      ...cases.map((result) => testCase(result, `${result.law} ${rules.get(result.law) ?? ""}`.trim())),
      "  </testsuite>",
    ].join("\n"),
  );
  const all = attributes({ name: "nopage conform", ...countsOf(results) });
  return `${['<?xml version="1.0" encoding="UTF-8"?>', `<testsuites${all}>`, ...suites, "</testsuites>"].join("\n")}\n`;
}

function suitesOf(results: readonly LawResult[]): ReadonlyMap<string, readonly LawResult[]> {
  const suites = new Map<string, LawResult[]>();
  for (const result of results) {
    const name = `${result.strategy} on ${result.geometry}`;
    const suite = suites.get(name);
    if (suite === undefined) suites.set(name, [result]);
    else suite.push(result);
  }
  return suites;
}

function countsOf(results: readonly LawResult[]) {
  return {
    tests: results.length,
    failures: results.filter(({ status }) => status === "fail").length,
    errors: 0,
    skipped: results.filter(({ status }) => status === "skip" || status === "untested").length,
  };
}

function testCase({ strategy, geometry, status, reason }: LawResult, name: string): string {
  const opening = `    <testcase${attributes({ classname: `${strategy}.${geometry}`, name })}`;
  if (status === "pass") return `${opening}/>`;
  const [message = ""] = reason.split("\n");
  const said =
    status === "fail"
      ? `<failure${attributes({ message })}>${text(reason)}</failure>`
      : `<skipped${attributes({ message: status === "untested" ? `untested: ${message}` : message })}/>`;
  return `${opening}>\n      ${said}\n    </testcase>`;
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(
      ([name, value]) =>
        ` ${name}="${text(String(value)).replaceAll("\n", "&#10;").replaceAll('"', "&quot;")}"`,
    )
    .join("");
}

/** Text as XML 1.0 has it: its own characters escaped, and those that it cannot hold in any form replaced. */
function text(written: string): string {
  return [...written]
    .map((character) => (isXmlCharacter(character) ? character : "\ufffd"))
    .join("")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}

/** `Char` of XML 1.0, section 2.2. */
function isXmlCharacter(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return code === 0x9 || code === 0xa || code === 0xd;
  return code <= 0xd7ff || (code >= 0xe000 && code <= 0xfffd) || code >= 0x10000;
}
