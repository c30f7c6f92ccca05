import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findKernel, parityResultsOf, randomResultsOf, twins, whyNoLab } from "../../src/index.ts";
import { sequenceOnLinux } from "../../src/random/compare-sequence.ts";
import { Laboratory } from "../../src/run/laboratory.ts";
import { buildDrivers } from "../../src/subjects/build-drivers.ts";
import { asFound, expectedOf, findings, plugins } from "../random/findings.ts";

const missing = whyNoLab("cloud", "drivers");

/** The drivers are built once for all tests, on a busy machine in more time than a test has. */
const BUILDING_MS = 300_000;

const twinOf = (wanted: string) => twins.filter(({ name }) => name === wanted);

describe.skipIf(missing !== undefined)(
  `the model and Linux${missing === undefined ? "" : ` (${missing})`}`,
  () => {
    const laboratory = new Laboratory();
    beforeAll(() => {
      const kernel = findKernel("cloud");
      if (kernel !== undefined) buildDrivers(kernel);
    }, BUILDING_MS);
    afterAll(() => laboratory.discard());

    it.each(findings)("Linux: $why", async (finding) => {
      const [twin] = twinOf(finding.subject);
      if (twin === undefined) throw new Error(`there is no ${finding.subject}`);
      const end = await sequenceOnLinux(finding.steps, twin, laboratory);
      expect(asFound(end)).toEqual(expectedOf(finding));
    });

    it("laws MUST be compared step by step, and races with all that is allowed", async () => {
      const seen = [];
      const laws = ["LK-02", "QU-02", "MO-02", "FR-01"];
      for await (const { law, status, linux } of parityResultsOf(twinOf("lazy-nopage.pages"), {
        plugins,
        laws,
      })) {
        seen.push([law, status, linux.replace(/\d+ of( at least)? \d+/, "some")]);
      }
      expect(seen).toContainEqual(["LK-02", "agree", "holds"]);
      expect(seen).toContainEqual(["QU-02", "agree", "holds; some allowed outcomes seen"]);
      expect(seen).toContainEqual(["MO-02", "agree", "holds"]);
    });

    it("a twin that is compared with another strategy MUST be found out, by a short sequence", async () => {
      const [twin] = twinOf("lazy-nopage.window");
      if (twin === undefined) throw new Error("there is no such twin");
      // Its driver shows pages, which is not what its name says.
      const liar = { ...twin, setUp: twinOf("lazy-nopage.pages")[0]?.setUp ?? twin.setUp };
      const results = randomResultsOf([liar], { count: 40, seed: 1, plugins });
      const { value: result } = await results.next();
      await results.return();
      expect(result?.finding?.steps.length).toBeLessThan(4);
    });
  },
);
