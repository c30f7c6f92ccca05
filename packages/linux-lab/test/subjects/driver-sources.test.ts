import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { driverNames, findDriverSources } from "../../src/subjects/driver-sources.ts";

const names = [
  ...["device-highway", "eager-remap", "lazy-nopage", "page-lookup"],
  ...["pfn-nopage", "notifier-mirror", "pinning"],
];

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "nopage-sources-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Puts the packages into a folder, each with its C sources: where those of the first are then. */
function install(folder: string, packages: readonly string[] = names): string {
  for (const name of packages) {
    mkdirSync(join(root, folder, name, "linux"), { recursive: true });
    writeFileSync(join(root, folder, name, "linux", "Kbuild"), "");
  }
  return join(root, folder, packages[0] ?? "", "linux");
}

describe("the C sources of the drivers", () => {
  test("are those of the repository here, every one of them", () => {
    const found = findDriverSources();
    expect([...found.keys()]).toEqual(driverNames);
    for (const folder of found.values()) expect(existsSync(join(folder, "Kbuild"))).toBe(true);
  });

  test("are found in packages that were installed side by side", () => {
    const folder = install("node_modules/@nopage");
    const own = join(root, "node_modules/@nopage/linux-lab/package.json");
    expect(findDriverSources([own]).get("highway")).toBe(folder);
  });

  test("are found where every package sees only what it depends on, among all of them or beside the command", () => {
    const own = join(root, "node_modules/.pnpm/a/node_modules/@nopage/linux-lab/package.json");
    const command = join(root, "node_modules/.pnpm/b/node_modules/nopage/dist/bin.js");
    const beside = install("node_modules/.pnpm/b/node_modules/@nopage");
    expect(findDriverSources([own, command]).get("highway")).toBe(beside);
    const among = install("node_modules/.pnpm/node_modules/@nopage");
    expect(findDriverSources([own]).get("highway")).toBe(among);
  });

  test("that are nowhere are named, with every place where they were looked for", () => {
    install("node_modules/@nopage", names.slice(2));
    const own = join(root, "node_modules/@nopage/linux-lab/package.json");
    const place = join(root, "node_modules/@nopage/eager-remap/linux");
    const find = () => findDriverSources([own]);
    expect(find).toThrow("the C sources of the drivers are not all there: install @nopage/device-highway");
    expect(find).toThrow(/; @nopage\/eager-remap, which is in none of [^;]*$/);
    expect(find).toThrow(place);
  });
});
