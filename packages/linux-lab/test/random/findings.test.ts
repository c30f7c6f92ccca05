import { describe, expect, test } from "vitest";
import { modelSideOf } from "../../src/parity/model-side.ts";
import { sequenceOnModel } from "../../src/random/compare-sequence.ts";
import { twins } from "../../src/subjects/twins.ts";
import { asFound, expectedOf, findings, plugins } from "./findings.ts";

describe("what random sequences have shown", () => {
  test.each(findings)("on the model: $why", (finding) => {
    const twin = twins.find(({ name }) => name === finding.subject);
    const on = twin === undefined ? undefined : modelSideOf(twin, plugins);
    if (on === undefined) throw new Error(`the model has no ${finding.subject}`);
    expect(asFound(sequenceOnModel(finding.steps, on))).toEqual(expectedOf(finding));
  });
});
