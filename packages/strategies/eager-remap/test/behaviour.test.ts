import { behavioursOf } from "@nopage/testkit";
import { describe, test } from "vitest";
import { eagerRemap } from "../src/index.ts";

describe.each(eagerRemap.supports.backing)("eager-remap showing %s", (backing) => {
  for (const { title, check } of behavioursOf({ strategy: eagerRemap, backing })) test(title, check);
});
