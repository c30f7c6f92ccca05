import { lazyNopage } from "@nopage/lazy-nopage";
import { notifierMirror } from "@nopage/notifier-mirror";
import { pageLookup } from "@nopage/page-lookup";
import { expect, it } from "vitest";
import { checkBeliefs } from "../support/checked-search.ts";

// What a step touches in another place is believed without a run where the step before it only read, or where a run has shown it.
// That is right only if every access is announced or noted.

for (const plugin of [lazyNopage, pageLookup, notifierMirror]) {
  it(`what the search believes of reversed steps of ${plugin.name} MUST be what a run finds`, () => {
    const { checked, mistakes } = checkBeliefs(plugin, 15);
    expect(mistakes).toEqual([]);
    expect(checked).toBeGreaterThan(10);
  });
}
