import { eagerRemap } from "@nopage/eager-remap";
import { lazyNopage } from "@nopage/lazy-nopage";
import { intervalMirror, notifierMirror } from "@nopage/notifier-mirror";
import { pageLookup } from "@nopage/page-lookup";
import { pfnNopage } from "@nopage/pfn-nopage";
import { longterm } from "@nopage/pinning";
import { expect, it } from "vitest";
import { checkBeliefs } from "./support/checked-search.ts";

for (const plugin of [
  eagerRemap,
  intervalMirror,
  lazyNopage,
  longterm,
  notifierMirror,
  pageLookup,
  pfnNopage,
]) {
  it(`what the search believes of reversed steps of ${plugin.name} MUST be what a run finds`, () => {
    expect(checkBeliefs(plugin, 1_000).mistakes).toEqual([]);
  });
}
