import { expect, test } from "vitest";
import { complaintInWords } from "../../src/run/words-of-kernel.ts";

const complaint = (...lines: readonly string[]) => ({
  what: "WARNING: mine",
  lines: ["WARNING: mine", ...lines],
});

test.each([
  [[], "the kernel complains:"],
  [["CPU: 1 PID: 87 Comm: init Tainted: G"], "the kernel complains:"],
  [
    ["CPU: 1 PID: 50 Comm: kworker/1:2 Tainted: G"],
    "the kernel complains in kworker/1:2, maybe late, of what ran before (TR-04):",
  ],
  [
    ["CPU: 1 PID: 87 Comm: init Tainted: G", " <IRQ>", " mine_interrupt+0x1/0x2"],
    "the kernel complains in an interrupt, maybe late, of what ran before (TR-04):",
  ],
])("a complaint with %j MUST be told to be the program's own, or maybe of the one before", (lines, head) => {
  expect(complaintInWords(complaint(...lines), "TR-04").split("\n")[0]).toBe(head);
  // The first program of a guest has nobody before it.
  expect(complaintInWords(complaint(...lines), undefined).split("\n")[0]).toBe("the kernel complains:");
});
