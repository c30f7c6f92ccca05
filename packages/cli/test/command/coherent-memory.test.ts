import { CompositionError, compose } from "@nopage/core/wiring";
import { describe, expect, test } from "vitest";
import { builtInRegistry } from "../../src/built-in-plugins.ts";
import { folderWith } from "../support/folder.ts";
import { runCommand } from "../support/run-command.ts";

// The machines of the 2004 mail: dma_alloc_coherent takes RAM that no struct page stands for.
const machine = { coherentMemory: "without-page", pagelessPages: 64 } as const;
const device = { name: "highway", options: { backing: "coherent" } };

const folder = () => folderWith({ "nopage.config.json": JSON.stringify({ machine, device }) });
const run = async (...words: string[]) => runCommand(["run", "--signal", "co2", ...words], await folder());

describe("coherent memory without struct page", () => {
  test("page-lookup MUST be refused, with the names of those that can show it", async () => {
    const settings = { strategy: "page-lookup", pinning: "refcount", device, machine };
    expect(() => compose(settings, builtInRegistry())).toThrow(CompositionError);
    const { code, stderr } = await run("--strategy", "page-lookup");
    expect(code).toBe(2);
    expect(stderr).toContain("a strategy that can show coherent memory, which");
    expect(stderr).toMatch(/eager-remap.*pfn-nopage/);
    expect(stderr).toContain("page-lookup shows linear, vmalloc, page-array");
  });

  test.each(["pfn-nopage", "eager-remap"])(
    "%s MUST acquire every byte and leave nothing over",
    async (strategy) => {
      const { code, stdout } = await run("--json", "--strategy", strategy);
      expect(code).toBe(0);
      expect(JSON.parse(stdout).runs).toMatchObject([
        { strategy, backing: "coherent", leaks: 0, violations: 0, failures: [] },
      ]);
    },
  );

  test("pfn-nopage MUST show frames that have no struct page, by compose too", () => {
    const settings = { strategy: "pfn-nopage", pinning: "refcount", device, machine };
    const world = compose(settings, builtInRegistry());
    const backing = world.machine.memory.frames.total;
    expect(backing).toBeGreaterThan(world.machine.memory.frames.count);
    expect(world.close()).toEqual([]);
  });
});
