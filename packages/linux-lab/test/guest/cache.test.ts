import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { removeOldBuilds } from "../../src/guest/cache.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lab-cache-"));
  vi.stubEnv("NOPAGE_LAB_CACHE", folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

test("of what was built the newest few MUST stay, and everything of another kind", () => {
  mkdirSync(join(folder, "cloud"));
  for (let age = 0; age < 12; age++) {
    const path = join(folder, `agent-${age}`);
    mkdirSync(path);
    utimesSync(path, 1000 - age, 1000 - age);
  }
  removeOldBuilds("agent-");
  const kept = Array.from({ length: 8 }, (_, age) => `agent-${age}`);
  expect(readdirSync(folder).sort()).toEqual([...kept, "cloud"]);
});
