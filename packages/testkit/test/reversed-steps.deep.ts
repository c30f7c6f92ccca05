import { expect, it } from "vitest";
import { checkBeliefs } from "./support/checked-search.ts";
import { exploredPlugins } from "./support/explored-plugins.ts";

for (const plugin of exploredPlugins) {
  it(`what the search believes of reversed steps of ${plugin.name} MUST be what a run finds`, () => {
    expect(checkBeliefs(plugin, 1_000).mistakes).toEqual([]);
  });
}
