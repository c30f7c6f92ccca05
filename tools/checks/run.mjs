// Runs one check by name: first on planted mistakes, which proves that it sees them, then on the workspace.
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const checks = {
  async boundaries() {
    const { checkBoundaries } = await import("./src/boundaries.mjs");
    const { selfTestBoundaries } = await import("./self-test/boundaries.mjs");
    const planted = await selfTestBoundaries();
    const { problems, looked } = await checkBoundaries(root);
    return { problems, summary: `${looked} modules, ${planted} planted violations caught` };
  },
  async generators() {
    const { checkGenerators } = await import("./src/generators.mjs");
    const { selfTestGenerators } = await import("./self-test/generators.mjs");
    const planted = selfTestGenerators();
    const { problems, looked } = checkGenerators(root);
    return { problems, summary: `${looked} files, ${planted} planted mistakes caught` };
  },
  async "house-style"() {
    const { checkHouseStyle } = await import("./src/house-style.mjs");
    const { selfTestHouseStyle } = await import("./self-test/house-style.mjs");
    const planted = selfTestHouseStyle();
    const { problems, looked, median, longest } = checkHouseStyle(root);
    const lengths = `median ${median} lines, longest ${longest}`;
    return { problems, summary: `${looked} files, ${lengths}, ${planted} planted breaches caught` };
  },
};

const name = process.argv[2] ?? "";
if (!Object.hasOwn(checks, name)) {
  console.error(`usage: node tools/checks/run.mjs ${Object.keys(checks).join("|")}`);
  process.exit(2);
}
const { problems, summary } = await checks[name]();
for (const problem of problems) console.log(problem);
console.log(problems.length === 0 ? summary : `${problems.length} problems in ${summary}`);
process.exitCode = problems.length === 0 ? 0 : 1;
