import { behavioursOf } from "@nopage/testkit";
import { describe, test } from "vitest";
import { pfnNopage } from "../src/index.ts";

describe.each(pfnNopage.supports.backing)("pfn-nopage showing %s", (backing) => {
  for (const { title, check } of behavioursOf({ strategy: pfnNopage, backing })) test(title, check);
});
