import { describe, expect, test } from "vitest";
import { runCommand } from "../support/run-command.ts";

interface Run {
  readonly strategy: string;
  readonly pinning: string;
  readonly unpluggedAt?: number;
  readonly acquired: number;
  readonly signalBytes: number;
  readonly failure?: string;
  readonly woken: number;
  readonly sigbus: number;
  readonly laterOpen?: string;
  readonly leaks: readonly string[];
  readonly violations: readonly unknown[];
  readonly broken: readonly string[];
}

async function unplugged(...words: string[]) {
  const { code, stdout } = await runCommand(["run", "--json", ...words]);
  return { code, ...(JSON.parse(stdout) as { unplugAt: number; runs: readonly Run[] }) };
}

describe("nopage run --unplug-at", () => {
  test("whatever the strategy and the policy: ENODEV for the program, SIGBUS for who waited, and nothing left over", async () => {
    const { code, runs } = await unplugged("--all", "--unplug-at", "22000");
    expect(code).toBe(0);
    expect(new Set(runs.map(({ strategy }) => strategy)).size).toBeGreaterThanOrEqual(4);
    for (const { strategy, pinning, ...run } of runs) {
      expect({ strategy, pinning, ...run }).toMatchObject({
        strategy,
        pinning,
        unpluggedAt: 22_000,
        failure: "ioctl: -ENODEV",
        laterOpen: "-ENODEV",
        leaks: [],
        violations: [],
        broken: [],
      });
      expect(run.acquired).toBeLessThan(run.signalBytes);
      // Who cannot wait was never at the gate.
      expect(run.woken > 0, strategy).toBe(strategy !== "eager-remap");
      expect(run.sigbus).toBeGreaterThan(0);
    }
  });

  test("a time after the end changes nothing", async () => {
    const { code, runs } = await unplugged("--signal", "co2", "--unplug-at", "999999999999");
    expect(code).toBe(0);
    expect(runs[0]?.unpluggedAt).toBeUndefined();
    expect(runs[0]?.acquired).toBe(runs[0]?.signalBytes);
    const { stdout } = await runCommand(["run", "--signal", "co2", "--unplug-at", "999999999999"]);
    expect(stdout).toContain(
      "The card was to be pulled out after 999999999999 ns, but everything was over by then",
    );
    expect(stdout).toContain("Nothing was pulled out:");
    expect(stdout).not.toContain("Kept:");
  });

  test("at any time of any schedule it holds", async () => {
    for (let seed = 0; seed < 8; seed++) {
      const words = ["--signal", "co2", "--seed", String(seed), "--unplug-at", String(seed * 3100)];
      expect((await unplugged(...words)).runs[0]?.broken).toEqual([]);
    }
  });

  test("a time chosen at random is told, so that the run can be made again", async () => {
    const first = await unplugged("--signal", "co2", "--unplug-at", "random");
    const again = await unplugged("--signal", "co2", "--unplug-at", String(first.unplugAt));
    expect(again.runs).toEqual(first.runs);
  });

  test("as a table it says who met what", async () => {
    const { code, stdout } = await runCommand(["run", "--unplug-at", "22000"]);
    expect(code).toBe(0);
    expect(stdout).toContain("The card is pulled out after 22000 ns (again: --unplug-at 22000).");
    expect(stdout).toMatch(/the program met +ioctl: -ENODEV/);
    expect(stdout).toMatch(/woken from the gate +SIGBUS \d times?/);
    expect(stdout).toMatch(/left over +nothing/);
    expect(stdout).toContain("Kept:");
  });

  test("anything else is refused, and so are two things at once", async () => {
    const { code, stderr } = await runCommand(["run", "--unplug-at", "later"]);
    expect(code).toBe(2);
    expect(stderr).toContain('--unplug-at: found "later"');
    expect((await runCommand(["run", "--unplug-at", "5", "--kill-at", "5"])).stderr).toContain(
      "one thing happens in a run",
    );
  });
});
