import { expect, it } from "vitest";
import { exploredPlugins } from "./support/explored-plugins.ts";
import { swapRuns } from "./support/swapped-runs.ts";

for (const plugin of exploredPlugins) {
  it(`steps of ${plugin.name} that may be swapped MUST touch the same in both orders`, () => {
    expect(swapRuns(plugin, { runs: 4, swapped: 5, seed: 2 }).differences).toEqual([]);
  });
}
