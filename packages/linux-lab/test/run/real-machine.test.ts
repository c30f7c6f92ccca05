import { expect, test } from "vitest";
import { whyNoSuchMachine } from "../../src/run/real-machine.ts";

test("a program MUST be run on a real machine only where that is the one that it asks for", () => {
  expect(whyNoSuchMachine()).toBeUndefined();
  expect(
    whyNoSuchMachine({ cpus: 3, sanitizers: "cheap", reservedPages: "6.1", lockLimitPages: 3 }),
  ).toBeUndefined();
  expect(whyNoSuchMachine({ reservedPages: "2.4" })).toBe(
    "it needs a machine that no guest is: reservedPages 2.4",
  );
  expect(whyNoSuchMachine({ coherentMemory: "without-page", pagelessPages: 32 })).toContain("coherentMemory");
  expect(whyNoSuchMachine({ maxAreas: 8 })).toBe("it needs a machine that no guest is: maxAreas 8");
});
