import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LawCase } from "@nopage/testkit/executor";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Guest, GuestLost } from "../../src/guest/guest.ts";
import type { ParityResult } from "../../src/parity/parity-result.ts";
import { parityResultsOf } from "../../src/parity/run-parity.ts";
import { Laboratory, NoGuests } from "../../src/run/laboratory.ts";
import { runCaseInLab } from "../../src/run/run-case-in-lab.ts";
import { memfd } from "../../src/subject/memfd.ts";

const lost = new GuestLost("the boot has taken more than 60 s");

/** A program that does nothing, on a subject that needs nothing. */
const lawCase: LawCase = { when: "once", schedule: "sequential", *program() {} };

beforeEach(() => {
  const cache = mkdtempSync(join(tmpdir(), "lab-"));
  mkdirSync(join(cache, "cloud/boot"), { recursive: true });
  writeFileSync(join(cache, "cloud/boot/vmlinuz-6.1.0"), "no kernel");
  vi.stubEnv("NOPAGE_LAB_CACHE", cache);
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe("where no guest comes up", () => {
  test("that MUST be the problem of the program that needed it, up to the third in a row", async () => {
    const boot = vi.spyOn(Guest, "boot").mockRejectedValue(lost);
    const laboratory = new Laboratory();
    for (const boots of [2, 4]) {
      expect(await runCaseInLab(lawCase, memfd, laboratory)).toEqual({
        end: { kind: "run", problems: [`memfd, once: ${lost.message}`] },
        steps: [],
        guest: "none",
      });
      // Each is given a second chance.
      expect(boot).toHaveBeenCalledTimes(boots);
    }
    await expect(runCaseInLab(lawCase, memfd, laboratory)).rejects.toThrow(NoGuests);
  });

  test("the laws before MUST keep their results", async () => {
    vi.spyOn(Guest, "boot").mockRejectedValue(lost);
    const results: ParityResult[] = [];
    const laws = { laws: ["MM-04", "LC-15", "FR-05", "FR-07"], plugins: [] };
    const run = async () => {
      for await (const result of parityResultsOf([memfd], laws)) results.push(result);
    };
    await expect(run()).rejects.toThrow(`3 guests in a row do not come up: ${lost.message}`);
    expect(results.length).toBeGreaterThan(0);
    for (const { status, linux } of results) {
      expect({ status, linux }).toEqual({ status: "disagree", linux: expect.stringContaining(lost.message) });
    }
  });

  test("once the run is to end, none MUST be tried", async () => {
    const boot = vi.spyOn(Guest, "boot");
    const stop = AbortSignal.abort(new Error("SIGINT"));
    await expect(runCaseInLab(lawCase, memfd, new Laboratory([], stop))).rejects.toThrow("SIGINT");
    expect(boot).not.toHaveBeenCalled();
    const controller = new AbortController();
    boot.mockImplementation(() => {
      controller.abort(new Error("SIGTERM"));
      return Promise.reject(lost);
    });
    const laboratory = new Laboratory([], controller.signal);
    await expect(runCaseInLab(lawCase, memfd, laboratory)).rejects.toThrow("SIGTERM");
    expect(boot).toHaveBeenCalledTimes(1);
  });
});
