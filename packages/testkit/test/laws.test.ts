import { eagerRemap } from "@nopage/eager-remap";
import { lazyNopage } from "@nopage/lazy-nopage";
import { pageLookup } from "@nopage/page-lookup";
import { pfnNopage } from "@nopage/pfn-nopage";
import { describe, expect, it } from "vitest";
import { runLaws } from "#src/run/run-laws";

describe.each([eagerRemap, lazyNopage, pageLookup, pfnNopage])("$name", (strategy) => {
  it("breaks no law, on any geometry", () => {
    const broken = runLaws(strategy).filter(({ status }) => status === "fail");
    expect(broken).toEqual([]);
  });
});
