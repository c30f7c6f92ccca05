import { lazyNopage } from "@nopage/lazy-nopage";
import { notifierMirror } from "@nopage/notifier-mirror";
import { expect, it } from "vitest";
import { swapRuns } from "../support/swapped-runs.ts";

for (const [plugin, runs] of [
  [lazyNopage, 1],
  [notifierMirror, 4],
] as const) {
  it(`steps of ${plugin.name} that may be swapped MUST touch the same in both orders`, () => {
    const { compared, differences } = swapRuns(plugin, { runs, swapped: 5, seed: 2 });
    expect(differences).toEqual([]);
    expect(compared).toBeGreaterThan(100);
  });
}
