import { familyOf } from "../laws/law.ts";
import type { LawResult } from "../run/results.ts";
import type { ConformanceDocument } from "./document.ts";

/** How one law stands on one plugin, all geometries taken together. */
export interface Cell {
  readonly law: string;
  readonly strategy: string;
  /** The worst of the geometries: broken on one is broken. `pass` needs one on which it was tried. */
  readonly status: LawResult["status"];
  /** On which it is broken. */
  readonly brokenOn: readonly string[];
  /** The first reason that is given for the status. */
  readonly reason: string;
}

/** Laws against plugins. */
export interface Matrix {
  readonly laws: ConformanceDocument["laws"];
  readonly strategies: readonly string[];
  /** @throws Error when there is no result for the two */
  cell(law: string, strategy: string): Cell;
}

const fromWorst: readonly LawResult["status"][] = ["fail", "pass", "skip", "untested"];

/** The document as a table of laws against plugins. */
export function matrixOf({ laws, results }: ConformanceDocument): Matrix {
  const cells = new Map<string, LawResult[]>();
  for (const result of results) {
    const key = `${result.law} ${result.strategy}`;
    const cell = cells.get(key);
    if (cell === undefined) cells.set(key, [result]);
    else cell.push(result);
  }
  return {
    laws,
    strategies: [...new Set(results.map(({ strategy }) => strategy))],
    cell(law, strategy) {
      const own = cells.get(`${law} ${strategy}`) ?? [];
      const status = fromWorst.find((worst) => own.some((result) => result.status === worst));
      if (status === undefined) throw new Error(`there is no result for ${law} on ${strategy}`);
      const brokenOn = own.filter((result) => result.status === "fail").map(({ geometry }) => geometry);
      const reason = own.find((result) => result.status === status)?.reason ?? "";
      return { law, strategy, status, brokenOn, reason };
    },
  };
}

/** The families of a matrix, each with its laws, in their order. */
export function familiesOf({ laws }: Matrix): ReadonlyMap<string, Matrix["laws"]> {
  return new Map(
    [...new Set(laws.map(({ id }) => familyOf(id)))].map((family) => [
      family,
      laws.filter(({ id }) => familyOf(id) === family),
    ]),
  );
}
