import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { folderWith } from "../support/folder.ts";
import { runCommand } from "../support/run-command.ts";
import { heedlessStrategy, leakyPolicy, thirdPartyStrategy } from "../support/test-plugins.ts";

interface Run {
  readonly strategy: string;
  readonly pinning: string;
  readonly signal: { readonly bytes: number; readonly sha256: string };
  readonly acquired: { readonly bytes: number; readonly sha256: string };
  readonly duringDma: { readonly outcome: string; readonly waitedNs: number };
  readonly leaks: number;
  readonly violations: number;
}

async function runJson(words: readonly string[], folder?: string) {
  const { code, stdout, stderr } = await runCommand(["run", "--json", ...words], folder);
  return { code, stderr, runs: stdout === "" ? [] : (JSON.parse(stdout) as { runs: Run[] }).runs };
}

// The smaller of the built-in signals.
const quick = ["--signal", "co2"];

describe("nopage run", () => {
  test("every built-in strategy acquires the signal whole and leaves nothing over", async () => {
    const { code, runs } = await runJson(["--all", "--pinning", "refcount", ...quick]);
    expect(code).toBe(0);
    expect(runs.map(({ strategy }) => strategy)).toEqual(
      expect.arrayContaining(["eager-remap", "lazy-nopage", "page-lookup", "pfn-nopage"]),
    );
    for (const { signal, acquired, leaks, violations } of runs) {
      expect(acquired).toEqual(signal);
      expect({ leaks, violations }).toEqual({ leaks: 0, violations: 0 });
    }
    const outcomes = new Map(runs.map(({ strategy, duringDma }) => [strategy, duringDma]));
    expect(outcomes.get("eager-remap")).toMatchObject({ outcome: "sigbus", waitedNs: 0 });
    expect(outcomes.get("lazy-nopage")?.outcome).toBe("waited");
    expect(outcomes.get("lazy-nopage")?.waitedNs).toBeGreaterThan(0);
  });

  test("a document has exactly the fields that tools rely on, and some more", async () => {
    const { runs } = await runJson(quick);
    expect(runs).toHaveLength(1);
    const number = expect.any(Number);
    const fingerprint = { bytes: 2964, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) };
    expect(runs[0]).toMatchObject({
      strategy: "lazy-nopage",
      pinning: "refcount",
      signal: fingerprint,
      acquired: fingerprint,
      faults: number,
      pteWrites: number,
      tlbFlushes: number,
      tlbShootdowns: number,
      longestAtomic: number,
      duringDma: { outcome: "waited", waitedNs: number },
      leaks: 0,
      violations: 0,
    });
  });

  test.each(["i386", "alpha", "arm64-64k"])("it runs on %s", async (geometry) => {
    const { code, runs } = await runJson(["--geometry", geometry, ...quick]);
    expect(code).toBe(0);
    expect(runs[0]).toMatchObject({ geometry, leaks: 0, violations: 0 });
  });

  test("a seed decides the run, also when all are run one after the other", async () => {
    const seeded = (seed: string) => runCommand(["run", "--json", "--all", "--seed", seed, ...quick]);
    const [one, again, other] = [await seeded("5"), await seeded("5"), await seeded("6")];
    expect(again.stdout).toBe(one.stdout);
    expect(other.stdout).not.toBe(one.stdout);
    const alone = await runJson(["--strategy", "pfn-nopage", "--seed", "5", ...quick]);
    const among = JSON.parse(one.stdout).runs.find(({ strategy }: Run) => strategy === "pfn-nopage");
    expect(alone.runs[0]).toEqual(among);
  });

  test("the table says what happened, and ends with a sentence", async () => {
    const { code, stdout, stderr } = await runCommand(["run", "--strategy", "eager-remap", ...quick]);
    expect(code).toBe(0);
    expect(stderr).toBe("");
    expect(stdout).toMatch(
      /^highway acquires co2: 2,964 bytes, 2 channels of 16 bits\.\nThe machine: x86-64, 2 CPUs/,
    );
    expect(stdout).toMatch(/same as the signal +yes\n/);
    expect(stdout).toMatch(/touched during DMA +SIGBUS \d+ times?\n/);
    expect(stdout).toMatch(/\n\nIt holds: every byte of the signal arrived on eager-remap; .*\.\n$/);
  });
});

describe("the examples", () => {
  const root = fileURLToPath(new URL("../../../../", import.meta.url));

  test.each([
    "javascript/nopage.config.js",
    "json/nopage.config.json",
    "own-strategy/nopage.config.ts",
    "typescript/nopage.config.ts",
    "yaml/nopage.config.yaml",
  ])("%s holds", async (example) => {
    const { code, stderr } = await runCommand(["run", "--config", `examples/${example}`], root);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });
});

describe("a run that does not hold", () => {
  test("a policy that leaks is told by what is left over, and the exit code is 1", async () => {
    const folder = folderWith({
      "leaky.ts": leakyPolicy,
      "nopage.config.json": '{ "plugins": ["./leaky.ts"], "pinning": "leaky", "signal": "co2" }',
    });
    const json = await runJson([], folder);
    expect(json.code).toBe(1);
    expect(json.runs[0]?.leaks).toBeGreaterThan(0);
    const { code, stdout, stderr } = await runCommand(["run"], folder);
    expect(code).toBe(1);
    expect(stderr).toBe("");
    expect(stdout).toMatch(
      /It does not hold: 1 of 1 run failed\.\n {2}lazy-nopage with leaky: left over: \d+ frames? \(anon\)\n/,
    );
  });

  test("a strategy that shows the card while DMA runs is told by the rules that were broken", async () => {
    const folder = folderWith({
      "heedless.ts": heedlessStrategy,
      "nopage.config.json": '{ "plugins": ["./heedless.ts"], "strategy": "heedless" }',
    });
    const json = await runJson([], folder);
    expect(json.code).toBe(1);
    expect(json.runs[0]?.violations).toBeGreaterThan(100);
    const { code, stdout } = await runCommand(["run"], folder);
    expect(code).toBe(1);
    const [, sentences = ""] = stdout.split("It does not hold: 1 of 1 run failed.\n");
    expect(sentences).toMatch(/ {2}heedless with refcount: device-rule: .*touched-during-dma.*, \d+ times\n/);
    const [summary = "", inFull = ""] = sentences.split("  the first violation:\n");
    expect(summary.trimEnd().split("\n").length).toBeLessThan(10);
    expect(inFull).toMatch(/^ {4}device-rule by .*\n {6}object: {2}highway\n {6}now: .* on CPU \d at \d+ ns/);
  });

  test("among all, the others still run", async () => {
    const folder = folderWith({
      "leaky.ts": leakyPolicy,
      "nopage.config.json": '{ "plugins": ["./leaky.ts"], "signal": "co2" }',
    });
    const { code, runs } = await runJson(["--all", "--strategy", "lazy-nopage"], folder);
    expect(code).toBe(1);
    const holding = runs.filter(({ leaks }) => leaks === 0).map(({ pinning }) => pinning);
    expect(holding).toContain("refcount");
    expect(holding).not.toContain("leaky");
  });
});

describe("what cannot be run", () => {
  test("every problem is told at once, on the error side, and nothing is run", async () => {
    const words = [
      "run",
      "--json",
      "--strategy",
      "lazy-nopge",
      "--pinning",
      "pin",
      "--device",
      "higway",
      "--signal",
      "gitar",
    ];
    const { code, stdout, stderr } = await runCommand(words);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain("nopage: 4 problems, and nothing was run\n");
    expect(stderr).toMatch(
      /--strategy: found "lazy-nopge"; expected .*"pfn-nopage".*; nearest choice: "lazy-nopage"\n/,
    );
    expect(stderr).toMatch(/--pinning: found "pin"; expected the name of a pinning policy: .*refcount/);
    expect(stderr).toMatch(
      /--device: found "higway"; expected the name of a device driver: "highway"; or the package or path of a module that exports one; nearest choice: "highway"\n/,
    );
    expect(stderr).toMatch(
      /--signal: found "gitar"; expected a WAV or CSV file.*; nearest choice: "guitar"\n/,
    );
  });

  test("options that the driver refuses", async () => {
    const folder = folderWith({
      "nopage.config.json": '{ "device": { "name": "highway", "options": { "burstBytes": 0 } } }',
    });
    const { code, stderr } = await runCommand(["run"], folder);
    expect(code).toBe(2);
    expect(stderr).toContain(
      'device.options in nopage.config.json: found {"burstBytes":0}; expected options that highway can work with',
    );
    expect(stderr).toContain("burstBytes is 0");
    const all = await runCommand(["run", "--all"], folder);
    expect(all).toMatchObject({ code: 2, stdout: "", stderr });
  });

  test("among all, what does not go together is left out and told", async () => {
    const folder = folderWith({
      "nopage.config.json": JSON.stringify({
        device: { name: "highway", options: { backing: "coherent" } },
        machine: { coherentMemory: "without-page", pagelessPages: 512 },
      }),
    });
    const { code, runs, stderr } = await runJson(["--all", "--pinning", "refcount", ...quick], folder);
    expect(code).toBe(0);
    expect(runs.map(({ strategy }) => strategy)).toEqual(["eager-remap", "pfn-nopage"]);
    expect(stderr).toMatch(
      /lazy-nopage with refcount is left out: .*a strategy that can show coherent memory/,
    );
    expect(stderr).toContain("page-lookup with refcount is left out: ");
  });

  test("a strategy that can show nothing of the device's, unless all are run", async () => {
    const folder = folderWith({
      "own.ts": `${thirdPartyStrategy}
        import { defineDriver } from "@nopage/core/contract";
        export const slate = defineDriver({
          name: "slate", supports: { backing: ["vmalloc"], dma: "none" },
          load: () => ({ path: "/dev/slate", *unload() { return 0; } }),
        });`,
      "nopage.config.json":
        '{ "plugins": ["./own.ts"], "strategy": "third-party", "device": { "name": "slate" } }',
    });
    const one = await runCommand(["run"], folder);
    expect(one.code).toBe(2);
    expect(one.stderr).toContain(
      'strategy in nopage.config.json: found "third-party"; expected a strategy that can show what slate has (vmalloc), which "page-lookup" can; third-party shows pfn-run; nearest choice: "page-lookup"',
    );
    const all = await runCommand(["run", "--all"], folder);
    expect(all.code).toBe(2);
    expect(all.stderr).toContain('found "slate"; expected a device to acquire a signal from');
  });
});
