import { describe, expect, test } from "vitest";
import { runCommand } from "../support/run-command.ts";

interface Run {
  readonly pinning: string;
  readonly killedAt: number;
  readonly promised: boolean;
  readonly quarantinedPages: number;
  readonly leaks: readonly string[];
  readonly violations: readonly unknown[];
  readonly broken: readonly string[];
}

async function killed(...words: string[]) {
  const { code, stdout } = await runCommand(["run", "--json", "--signal", "co2", ...words]);
  return { code, ...(JSON.parse(stdout) as { killAt: number; runs: readonly Run[] }) };
}

describe("nopage run --kill-at", () => {
  test("each policy does what it says when the process dies during DMA", async () => {
    const { code, runs } = await killed("--all", "--strategy", "lazy-nopage", "--kill-at", "5000");
    expect(code).toBe(0);
    const by = new Map(runs.map((run) => [run.pinning, run]));
    expect([...by.keys()]).toEqual(
      expect.arrayContaining(["refcount", "longterm", "ghost-mm", "reserved", "quarantine"]),
    );
    for (const { pinning, killedAt, promised, broken, leaks, violations } of runs) {
      expect({ pinning, killedAt, broken }).toEqual({ pinning, killedAt: 5000, broken: [] });
      expect(violations.length === 0 && leaks.length === 0, pinning).toBe(promised);
    }
    expect(by.get("reserved")?.promised).toBe(false);
    expect(by.get("quarantine")?.quarantinedPages).toBeGreaterThan(0);
  });

  test("a time chosen at random is told, so that the run can be made again", async () => {
    const first = await killed("--kill-at", "random");
    const again = await killed("--kill-at", String(first.killAt));
    expect(again.runs).toEqual(first.runs);
  });

  test("a time after the end puts no promise to the test, and says so", async () => {
    for (const policy of ["refcount", "reserved"]) {
      const words = ["run", "--signal", "co2", "--pinning", policy, "--kill-at", "999999999"];
      const { code, stdout } = await runCommand(words);
      expect(code).toBe(0);
      expect(stdout).toContain(
        "The process was to be killed after 999999999 ns, but had ended by then (again:",
      );
      expect(stdout).toMatch(/killed at +too late/);
      expect(stdout).toMatch(/promise kept +-/);
      expect(stdout).toContain("Nobody was killed:");
      expect(stdout).not.toContain("Kept:");
    }
  });

  test("as a table it says who was killed, and whose promise was kept", async () => {
    const { stdout } = await runCommand(["run", "--signal", "co2", "--kill-at", "5000"]);
    expect(stdout).toContain("The process is killed after 5000 ns (again: --kill-at 5000).");
    expect(stdout).toMatch(/promise kept +yes/);
    expect(stdout).toContain("Kept:");
  });

  test("anything else is refused", async () => {
    const { code, stderr } = await runCommand(["run", "--kill-at", "soon"]);
    expect(code).toBe(2);
    expect(stderr).toContain('--kill-at: found "soon"');
  });
});
