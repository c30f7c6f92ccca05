import { eagerRemap } from "@nopage/eager-remap";
import { lazyNopage } from "@nopage/lazy-nopage";
import { intervalMirror, noneInterval, noneNotifier, notifierMirror } from "@nopage/notifier-mirror";
import { pageLookup } from "@nopage/page-lookup";
import { pfnNopage } from "@nopage/pfn-nopage";
import { longterm, quarantine, refcount } from "@nopage/pinning";
import { describe, expect, test } from "vitest";
import { modelSideOf } from "../../src/parity/model-side.ts";
import { memfd } from "../../src/subject/memfd.ts";
import { twins } from "../../src/subjects/twins.ts";

const plugins = [
  ...[eagerRemap, lazyNopage, pageLookup, pfnNopage, intervalMirror, notifierMirror],
  ...[noneInterval, noneNotifier, longterm, quarantine, refcount],
];

describe("the model's side of a subject", () => {
  test.each(twins)("$name has one, and it is tried as what it is", (twin) => {
    expect(modelSideOf(twin, plugins)?.trial).toBe(twin.trial ?? "mapping");
  });

  test("is the same strategy on the same memory", () => {
    const sideOf = (name: string) => modelSideOf({ name }, plugins)?.name;
    expect(sideOf("lazy-nopage.holes")).toBe("lazy-nopage on page-array with holes");
    expect(sideOf("eager-remap.window")).toBe("eager-remap on pfn-run");
    expect(sideOf(memfd.name)).toBeUndefined();
  });
});
