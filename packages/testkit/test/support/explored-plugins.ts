import { eagerRemap } from "@nopage/eager-remap";
import { lazyNopage } from "@nopage/lazy-nopage";
import { intervalMirror, notifierMirror } from "@nopage/notifier-mirror";
import { pageLookup } from "@nopage/page-lookup";
import { pfnNopage } from "@nopage/pfn-nopage";
import { longterm } from "@nopage/pinning";
import type { Plugin } from "#src/model/contender";

/** The built-in plugins that have racy programs, of which the deep project runs all. */
export const exploredPlugins: readonly Plugin[] = [
  eagerRemap,
  intervalMirror,
  lazyNopage,
  longterm,
  notifierMirror,
  pageLookup,
  pfnNopage,
];
