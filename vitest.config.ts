import { existsSync, readdirSync } from "node:fs";
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

const deepProject: TestProjectInlineConfiguration = {
  extends: true,
  test: { name: "deep", include: ["packages/**/test/**/*.deep.ts"], testTimeout: 600_000 },
};

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ["source"] } },
  oxc: { decorator: { legacy: true } },
  test: {
    // A machine that is busy with something else makes a test slow, not wrong.
    testTimeout: 30_000,
    // A CommonJS package looks to a test as it does to Node, which runs the build.
    deps: { interopDefault: false },
    projects: [...packageProjects, typesProject, deepProject],
    reporters: ["default", new TallyReporter()],
    coverage: { provider: "v8", include: ["packages/**/src/**/*.ts"], reporter: ["text-summary", "html"] },
  },
});
