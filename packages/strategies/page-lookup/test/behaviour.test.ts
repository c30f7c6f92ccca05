import { behavioursOf } from "@nopage/testkit";
import { describe, test } from "vitest";
import { pageLookup } from "../src/index.ts";

describe.each(pageLookup.supports.backing)("page-lookup showing %s", (backing) => {
  for (const { title, check } of behavioursOf({ strategy: pageLookup, backing })) test(title, check);
});
