import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { myDriver } from "../../../../examples/my-driver/my-driver.ts";
import { findKernel, type SubjectDefinition, whyNoLab } from "../../src/index.ts";
import { Laboratory } from "../../src/run/laboratory.ts";
import { labResultsIn } from "../../src/run/run-lab.ts";
import { buildDrivers } from "../../src/subjects/build-drivers.ts";
import { twins } from "../../src/subjects/twins.ts";

const missing = whyNoLab("cloud", "drivers");

/** The drivers are built once for all tests, on a busy machine in more time than a test has. */
const BUILDING_MS = 300_000;

function buildTwins(): void {
  const kernel = findKernel("cloud");
  if (kernel !== undefined) buildDrivers(kernel);
}

const EXAMPLE = fileURLToPath(new URL("../../../../examples/my-driver/", import.meta.url));

async function standings(laboratory: Laboratory, subject: SubjectDefinition, laws: readonly string[]) {
  const results = [];
  for await (const { law, status, reason } of labResultsIn(laboratory, [subject], { laws, racyRuns: 1 })) {
    results.push({ law, status, reason });
  }
  return results;
}

describe.skipIf(missing !== undefined)(
  `the strategies in C${missing === undefined ? "" : ` (${missing})`}`,
  () => {
    const laboratory = new Laboratory();
    beforeAll(buildTwins, BUILDING_MS);
    afterAll(() => laboratory.discard());

    // What it shows, what takes it away and gives it back, what is left when its device or its module goes.
    const laws = ["LK-02", "QU-03", "TR-04", "RC-03", "MO-02", "MO-04", "GP-02", "GP-03"];

    it.each(twins)("$name MUST keep the laws about showing and taking away", async (twin) => {
      const told = await standings(laboratory, twin, laws);
      expect(told.filter(({ status }) => status === "broken")).toEqual([]);
      expect(told.filter(({ status }) => status === "holds")).not.toEqual([]);
    });
  },
);

describe.skipIf(missing !== undefined)(
  `the driver with a mistake${missing === undefined ? "" : ` (${missing})`}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), "my-driver-"));
    afterAll(() => rmSync(folder, { recursive: true }));

    it("MUST break the law about shrinking, and keep it once the mistake is put right", async () => {
      for (const file of ["my_driver.c", "Makefile"]) copyFileSync(join(EXAMPLE, file), join(folder, file));
      expect(await shrinkingStanding(folder)).toBe("broken");
      execFileSync("git", ["apply", join(EXAMPLE, "fix.patch")], { cwd: folder });
      expect(await shrinkingStanding(folder)).toBe("holds");
    });
  },
);

/** Builds what is in a folder, and holds it to the law about shrinking. */
async function shrinkingStanding(folder: string): Promise<string | undefined> {
  const kernel = findKernel("cloud");
  execFileSync("make", ["-C", folder, `KDIR=/usr/src/linux-headers-${kernel?.release}`], { stdio: "pipe" });
  const laboratory = new Laboratory([{ file: join(folder, "my_driver.ko") }]);
  try {
    const [told] = await standings(laboratory, myDriver, ["TR-04"]);
    return told?.status;
  } finally {
    await laboratory.discard();
  }
}
