import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median } from "./measure.ts";

/**
 * The median nanoseconds of a map-only minor fault on the running kernel, measured by a small C program compiled on the
 * spot; undefined with a reason where that is not possible.
 */
export function kernelFaultNs(pages: number): { readonly ns: number } | { readonly missing: string } {
  if (process.platform !== "linux") return { missing: `no Linux kernel here (${process.platform})` };
  const source = join(import.meta.dirname, "../../bench/support/kernel-faults.c");
  const folder = mkdtempSync(join(tmpdir(), "nopage-bench-"));
  try {
    const program = join(folder, "kernel-faults");
    const compiled = spawnSync("cc", ["-O2", "-o", program, source], { encoding: "utf8" });
    if (compiled.error !== undefined) return { missing: "no C compiler (cc) on this machine" };
    if (compiled.status !== 0) return { missing: `cc failed: ${compiled.stderr}` };
    const run = spawnSync(program, [String(pages), "11"], { encoding: "utf8" });
    if (run.status !== 0) return { missing: `the program ended with ${run.status ?? run.signal}` };
    return { ns: median(run.stdout.trim().split("\n").map(Number)) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
