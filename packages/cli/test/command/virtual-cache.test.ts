import { expect, test } from "vitest";
import { folderWith } from "../support/folder.ts";
import { runCommand } from "../support/run-command.ts";

test("every strategy MUST acquire every byte through a data cache that is indexed virtually", async () => {
  const folder = folderWith({
    "nopage.config.json": JSON.stringify({ machine: { dataCache: "virtually-indexed" }, signal: "co2" }),
  });
  const { code, stdout } = await runCommand(["run", "--json", "--all", "--pinning", "refcount"], folder);
  for (const { strategy, failures } of JSON.parse(stdout).runs) {
    expect({ strategy, failures }).toEqual({ strategy, failures: [] });
  }
  expect(code).toBe(0);
});
