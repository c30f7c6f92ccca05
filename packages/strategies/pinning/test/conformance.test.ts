import { describeConformance } from "@nopage/testkit/vitest";
import { ghostMm, longterm, quarantine, refcount, reserved } from "../src/index.ts";

for (const policy of [refcount, longterm, ghostMm, reserved, quarantine]) describeConformance(policy);
