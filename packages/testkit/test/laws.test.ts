import { eagerRemap } from "@nopage/eager-remap";
import { lazyNopage } from "@nopage/lazy-nopage";
import { intervalMirror, noneInterval, noneNotifier, notifierMirror } from "@nopage/notifier-mirror";
import { pageLookup } from "@nopage/page-lookup";
import { pfnNopage } from "@nopage/pfn-nopage";
import { ghostMm, longterm, quarantine, refcount, reserved } from "@nopage/pinning";
import { describe, expect, it } from "vitest";
import { runLaws } from "#src/run/run-laws";

const plugins = [
  eagerRemap,
  lazyNopage,
  pageLookup,
  pfnNopage,
  notifierMirror,
  intervalMirror,
  noneNotifier,
  noneInterval,
  ghostMm,
  longterm,
  quarantine,
  refcount,
  reserved,
];

describe.each(plugins)("$name", (plugin) => {
  it("breaks no law, on any geometry", () => {
    const broken = runLaws(plugin).filter(({ status }) => status === "fail");
    expect(broken).toEqual([]);
  });
});
