import { behavioursOf } from "@nopage/testkit";
import { describe, test } from "vitest";
import { lazyNopage } from "../src/index.ts";

describe.each(lazyNopage.supports.backing)("lazy-nopage showing %s", (backing) => {
  for (const { title, check } of behavioursOf({ strategy: lazyNopage, backing })) test(title, check);
});
