import { describeConformance } from "@nopage/testkit/vitest";
import { intervalMirror, noneInterval, noneNotifier, notifierMirror } from "../src/index.ts";

for (const plugin of [notifierMirror, intervalMirror, noneNotifier, noneInterval])
  describeConformance(plugin);
