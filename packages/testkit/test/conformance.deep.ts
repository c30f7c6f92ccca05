import { eagerRemap } from "@nopage/eager-remap";
import { lazyNopage } from "@nopage/lazy-nopage";
import { intervalMirror, notifierMirror } from "@nopage/notifier-mirror";
import { pageLookup } from "@nopage/page-lookup";
import { pfnNopage } from "@nopage/pfn-nopage";
import { longterm } from "@nopage/pinning";
import { describeConformance } from "#src/vitest/describe-conformance";

// Orders do not depend on the page tables' geometry, so one is enough. All orders of all programs, as far as there is an end to them, are
// run beside this (complete-search): here is what somebody sees who asks for many.
const options = { geometries: ["x86-64"], maxExecutions: 100 } as const;

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
