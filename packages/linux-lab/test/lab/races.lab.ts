import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { myDriver } from "../../../../examples/my-driver/my-driver.ts";
import { findKernel, parityResultsOf, whyNoLab } from "../../src/index.ts";

const missing = whyNoLab("cloud", "drivers");

/** Modules are built, and programs run a hundred times, on a busy machine in more time than a test has. */
const LONG_MS = 600_000;

const EXAMPLE = fileURLToPath(new URL("../../../../examples/my-driver/", import.meta.url));

/** How the mended driver is made to race: it unmaps what it is about to give back, and a moment later gives it back. */
const GIVES_BACK = "\tif (ret == 0)\n\t\tshrink(wanted);\n";
const UNLOCKS = "\tmutex_unlock(&lock);\n";
const RETURNS = "\treturn ret;\n}\n\nstatic long my_ioctl";

describe.skipIf(missing !== undefined)(
  `a driver that races${missing === undefined ? "" : ` (${missing})`}`,
  () => {
    const folders: string[] = [];

    /** Builds the mended example with its text changed. */
    const build = (changed: (text: string) => string): string => {
      const folder = mkdtempSync(join(tmpdir(), "my-driver-"));
      folders.push(folder);
      for (const file of ["my_driver.c", "Makefile"]) copyFileSync(join(EXAMPLE, file), join(folder, file));
      execFileSync("git", ["apply", join(EXAMPLE, "fix.patch")], { cwd: folder });
      const source = join(folder, "my_driver.c");
      writeFileSync(source, changed(readFileSync(source, "utf8")));
      const headers = `/usr/src/linux-headers-${findKernel("cloud")?.release}`;
      execFileSync("make", ["-C", folder, `KDIR=${headers}`], { stdio: "pipe" });
      return join(folder, "my_driver.ko");
    };

    /** What the law about faults that meet a truncation comes to, with nothing said that the command does not say. */
    const truncated = async (file: string) => {
      const options = { plugins: [], laws: ["TR-03"], modules: [{ file }] };
      const results = [];
      for await (const result of parityResultsOf([myDriver], options)) results.push(result);
      return results;
    };

    let unmapsFirst = "";
    let mended = "";
    beforeAll(() => {
      mended = build((text) => text);
      unmapsFirst = build((text) => {
        expect(text.split(GIVES_BACK + UNLOCKS)).toHaveLength(2);
        return text
          .replace(GIVES_BACK + UNLOCKS, UNLOCKS)
          .replace(RETURNS, `\tudelay(50);\n\tmutex_lock(&lock);\n${GIVES_BACK}${UNLOCKS}${RETURNS}`)
          .replace("#include <linux/fs.h>", "#include <linux/delay.h>\n#include <linux/fs.h>");
      });
    }, LONG_MS);
    afterAll(() => folders.forEach((folder) => void rmSync(folder, { recursive: true })));

    it("and unmaps fifty microseconds before it gives back MUST be found by the runs that there are", {
      timeout: LONG_MS,
      // One run in ten or so meets it.
      retry: 1,
    }, async () => {
      const [told] = await truncated(unmapsFirst);
      expect(told).toMatchObject({ law: "TR-03", status: "disagree" });
      expect(told?.linux).toContain("and must be SIGBUS BUS_ADRERR");
      expect(told?.programs[0]?.steps[0]).toMatch(/^run \d+ of 50, with seed 1:$/);
    });

    it("and unmaps after it has given back MUST keep the law in all of them, which differ", {
      timeout: LONG_MS,
    }, async () => {
      const results = await truncated(mended);
      expect(results).toMatchObject([{ law: "TR-03", status: "agree" }]);
      const race = results[0]?.races.find(({ program }) => program === "the object");
      expect(race).toMatchObject({ runs: 50, search: "none" });
      expect(race?.outcomes.length).toBeGreaterThan(2);
    });
  },
);
