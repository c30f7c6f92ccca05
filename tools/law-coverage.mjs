// Runs the conformance tests of the built-in plugins alone and asks how much of the mapping contract they cover: what no
// law reaches, no law holds to anything. Prints the files with the most missed branches; exits 1 below the least share.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { startVitest } from "vitest/node";

// The least share of branches, in percent, of each folder.
const least = { "packages/core/src/mm/**": 95, "packages/core/src/contract/**": 95 };
// How many files the table shows.
const rows = 20;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const report = mkdtempSync(join(tmpdir(), "law-coverage-"));
process.chdir(root);
try {
  const vitest = await startVitest("test", ["conformance.test.ts"], {
    root,
    watch: false,
    // What a plugin that lies about itself breaks is no coverage by a law that holds.
    testNamePattern: "keeps the laws of mapping",
    project: ["!deep*"],
    coverage: {
      enabled: true,
      include: Object.keys(least),
      reporter: ["json-summary"],
      reportsDirectory: report,
      thresholds: Object.fromEntries(Object.entries(least).map(([files, branches]) => [files, { branches }])),
    },
  });
  await vitest.close();
  printMissed(JSON.parse(readFileSync(join(report, "coverage-summary.json"), "utf8")));
} finally {
  rmSync(report, { recursive: true, force: true });
}

// Prints the files with the most missed branches.
function printMissed({ total, ...files }) {
  const missed = Object.entries(files)
    .map(([file, { branches }]) => ({
      missed: branches.total - branches.covered,
      of: branches.total,
      file: relative(root, file),
    }))
    .filter((row) => row.missed > 0)
    .sort((one, other) => other.missed - one.missed || one.file.localeCompare(other.file));
  console.log("\nBranches that no law reaches:");
  for (const row of missed.slice(0, rows)) {
    console.log(`${String(row.missed).padStart(5)} of ${String(row.of).padStart(4)}  ${row.file}`);
  }
  if (missed.length > rows) console.log(`  and ${missed.length - rows} files with fewer`);
  const { covered, total: all, pct } = total.branches;
  console.log(`${covered} of ${all} branches are reached, ${pct} %.`);
}
