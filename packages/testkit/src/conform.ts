/** Holding plugins to the laws, without a test runner: results as data, and views of them. */
export { explainLaw } from "./explain/explain-law.ts";
export { allLaws } from "./laws/all-laws.ts";
export { type AnyLaw, familyOf, type Law, type LawLevel, type UntestedLaw } from "./laws/law.ts";
export type { Plugin } from "./model/contender.ts";
export { asJson, type ConformanceDocument, conformanceDocument } from "./report/document.ts";
export { asJUnit } from "./report/junit.ts";
export { asMarkdown } from "./report/markdown.ts";
export { type Cell, familiesOf, type Matrix, matrixOf } from "./report/matrix.ts";
export type { LawException } from "./run/exceptions.ts";
export { geometryNames } from "./run/geometry-names.ts";
export type { LawResult, LawStanding, LawStatus } from "./run/results.ts";
export { type RunLawsOptions, resultsOf, runLaws, selectLaws } from "./run/run-laws.ts";
