import { eagerRemap } from "@nopage/eager-remap";
import { lazyNopage } from "@nopage/lazy-nopage";
import { intervalMirror, notifierMirror } from "@nopage/notifier-mirror";
import { pageLookup } from "@nopage/page-lookup";
import { pfnNopage } from "@nopage/pfn-nopage";
import { longterm } from "@nopage/pinning";
import { describeConformance } from "#src/vitest/describe-conformance";

// Orders do not depend on the page tables' geometry, so one is enough for going on until all of a small program are done.
const options = { geometries: ["x86-64"], maxExecutions: 1000 } as const;

for (const plugin of [
  eagerRemap,
  lazyNopage,
  pageLookup,
  pfnNopage,
  notifierMirror,
  intervalMirror,
  longterm,
]) {
  describeConformance(plugin, options);
}
