import { existsSync, readdirSync, readFileSync } from "node:fs";
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
import { TallyReporter } from "./tools/vitest-tally-reporter.ts";

// Workspace packages resolve to their sources, so a test run needs no build.
const conditions = ["source", "module", "node", "development|production"];

const packageRoots = ["packages", "packages/strategies"].flatMap((parent) =>
  readdirSync(new URL(parent, import.meta.url))
    .map((name) => `${parent}/${name}`)
    .filter((path) => existsSync(new URL(`${path}/package.json`, import.meta.url))),
);

const packageProjects = packageRoots.map(
  (root): TestProjectInlineConfiguration => ({
    extends: true,
    root,
    test: { name: root.slice(root.lastIndexOf("/") + 1), include: ["test/**/*.test.ts"] },
  }),
);

const typesProject: TestProjectInlineConfiguration = {
  extends: true,
  test: {
    name: "types",
    include: [],
    typecheck: {
      enabled: true,
      only: true,
      checker: "tsc",
      tsconfig: "tsconfig.types.json",
      include: ["packages/**/test/**/*.test-d.ts"],
    },
  },
};

// What the unit suite samples is run again here in full; a test file that samples is known by its import.
const sampled = packageRoots.flatMap((root) =>
  readdirSync(new URL(`${root}/test`, import.meta.url), { recursive: true, encoding: "utf8" })
    .map((name) => `${root}/test/${name}`)
    .filter((path) => path.endsWith(".test.ts"))
    .filter((path) => readFileSync(new URL(path, import.meta.url), "utf8").includes("/tools/exploration.ts")),
);

const deepProject: TestProjectInlineConfiguration = {
  extends: true,
  test: {
    name: "deep",
    include: ["packages/**/test/**/*.deep.ts", ...sampled],
    testTimeout: 600_000,
    provide: { exploration: "full" },
  },
};

// Programs on a real kernel, one guest a file; where QEMU or the kernel is missing they are skipped with that reason.
const labProject: TestProjectInlineConfiguration = {
  extends: true,
  test: { name: "deep-lab", include: ["packages/linux-lab/test/**/*.lab.ts"], testTimeout: 120_000 },
};

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ["source"] } },
  oxc: { decorator: { legacy: true } },
  test: {
    // The tests wait for nothing but the CPU: every one is used, where the default would leave one to others.
    maxWorkers: "100%",
    // A machine that is busy with something else makes a test slow, not wrong.
    testTimeout: 30_000,
    // Machines are values and nothing is kept in modules: files may share what they import, which halves the work.
    isolate: false,
    // A CommonJS package looks to a test as it does to Node, which runs the build.
    deps: { interopDefault: false },
    provide: { exploration: "sample" },
    projects: [...packageProjects, typesProject, deepProject, labProject],
    reporters: ["default", new TallyReporter()],
    coverage: { provider: "v8", include: ["packages/**/src/**/*.ts"], reporter: ["text-summary", "html"] },
  },
});
