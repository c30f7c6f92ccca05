import { type Cell, type ConformanceDocument, familiesOf, matrixOf } from "@nopage/testkit/conform";
import pc from "picocolors";
import { type Column, sideBySide } from "./side-by-side.ts";
import { andList, count } from "./words.ts";

/** The laws, a family a row, against the plugins; below it what is broken and how, and a sentence that sums it up. */
export function conformTable(document: ConformanceDocument, width: number | undefined): string {
  const matrix = matrixOf(document);
  const families = familiesOf(matrix);
  const labels = [...families].map(([family, laws]) => `${family}, ${count(laws.length, "law")}`);
  const columns = matrix.strategies.map(
    (strategy): Column => ({
      title: strategy,
      cells: [...families.values()].map((laws) => tally(laws.map(({ id }) => matrix.cell(id, strategy)))),
    }),
  );
  const table = sideBySide(labels, columns, width);
  return [opening(document), table, ...broken(document), closing(document), ""].join("\n");
}

function opening({ laws, results }: ConformanceDocument): string {
  const geometries = [...new Set(results.map(({ geometry }) => geometry))];
  return `${count(laws.length, "law")} of mapping, on ${andList(geometries)}.`;
}

/** How many of a family hold; what does not apply is not counted. */
function tally(cells: readonly Cell[]): string {
  const having = (status: Cell["status"]) => cells.filter((cell) => cell.status === status).length;
  const holds = having("pass");
  const fails = having("fail");
  if (fails > 0) return pc.red(holds === 0 ? `${fails} BROKEN` : `${fails} BROKEN, ${holds} hold`);
  return holds === 0 ? pc.dim("-") : pc.green(`${holds} hold`);
}

/** Each broken law once, with whom and what: the same words from several geometries are one line. */
function broken({ laws, results }: ConformanceDocument): readonly string[] {
  return laws.flatMap(({ id, rule }) => {
    const places = new Map<string, string[]>();
    for (const { law, strategy, geometry, status, reason } of results) {
      if (law !== id || status !== "fail") continue;
      const said = `${strategy}\n${reason}`;
      const geometries = places.get(said);
      if (geometries === undefined) places.set(said, [geometry]);
      else geometries.push(geometry);
    }
    if (places.size === 0) return [];
    const lines = [...places].flatMap(([said, geometries]) => {
      const [strategy, ...reasons] = said.split("\n");
      return [`  ${strategy} on ${andList(geometries)}:`, ...reasons.map((reason) => `    ${reason}`)];
    });
    return [`${pc.red(id)} ${rule}`, ...lines, ""];
  });
}

function closing(document: ConformanceDocument): string {
  const { laws, results } = document;
  const having = (status: Cell["status"]) => results.filter((result) => result.status === status).length;
  const geometries = new Set(results.map(({ geometry }) => geometry)).size;
  const plugins = new Set(results.map(({ strategy }) => strategy)).size;
  const counts = `${count(having("pass"), "time")} a law holds, ${having("skip").toLocaleString("en-US")} times it does not apply, ${having("untested").toLocaleString("en-US")} times nothing can show it`;
  const tried = `${count(laws.length, "law")} on ${count(plugins, "plugin")} and ${geometries === 1 ? "1 geometry" : `${geometries} geometries`}`;
  const verdict =
    having("fail") === 0
      ? pc.green("It holds")
      : pc.red(`It does not hold: ${count(having("fail"), "time")} a law is broken`);
  return `${verdict}: ${tried}; ${counts}.`;
}
