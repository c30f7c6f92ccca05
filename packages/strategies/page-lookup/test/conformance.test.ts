import { flippedClaims } from "@nopage/testkit";
import { resultsOf } from "@nopage/testkit/conform";
import { describeConformance } from "@nopage/testkit/vitest";
import { expect, it } from "vitest";
import { pageLookup } from "../src/index.ts";

describeConformance(pageLookup);

it.each(flippedClaims(pageLookup))("a page-lookup that claims $claim MUST break a law", ({ liar }) => {
  for (const { status } of resultsOf(liar, { geometries: ["x86-64"], maxExecutions: 1 })) {
    if (status === "fail") return;
  }
  expect.fail("it keeps them all");
});
