import { eagerRemap } from "@nopage/eager-remap";
import { lazyNopage } from "@nopage/lazy-nopage";
import { intervalMirror, notifierMirror } from "@nopage/notifier-mirror";
import { pageLookup } from "@nopage/page-lookup";
import { pfnNopage } from "@nopage/pfn-nopage";
import { longterm } from "@nopage/pinning";
import { expect, it } from "vitest";
import { swapRuns } from "./support/swapped-runs.ts";

for (const plugin of [
  eagerRemap,
  intervalMirror,
  lazyNopage,
  longterm,
  notifierMirror,
  pageLookup,
  pfnNopage,
]) {
  it(`steps of ${plugin.name} that may be swapped MUST touch the same in both orders`, () => {
    expect(swapRuns(plugin, { runs: 4, swapped: 5, seed: 2 }).differences).toEqual([]);
  });
}
