import { describeConformance } from "@nopage/testkit/vitest";
import { myStrategy } from "../src/my-strategy.ts";

describeConformance(myStrategy);
