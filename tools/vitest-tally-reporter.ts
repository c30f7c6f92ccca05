import type { Reporter, TestCase, TestModule, TestSuite } from "vitest/node";

/**
 * Ends a test run with the one line that scripts read: `N passed, N failed, N skipped`.
 *
 * A file or suite that broke outside its tests, and an error that no test caught, count as one failure each, and so does
 * a run that fails for what is no test's, such as a coverage below its threshold: a run that did not hold must never end
 * in "0 failed".
 */
export class TallyReporter implements Reporter {
  private tally: Tally | undefined;
  private watching = false;

  onInit(vitest: { config: { watch: boolean } }): void {
    this.watching = vitest.config.watch;
    // Other reporters and the coverage table may still write after the run, so the line waits for the end of the process.
    process.once("exit", (code) => {
      if (this.watching || this.tally === undefined) return;
      if (code !== 0 && this.tally.failed === 0) this.tally.failed = 1;
      process.stdout.write(lineOf(this.tally));
    });
  }

  onTestRunEnd(modules: ReadonlyArray<TestModule>, unhandledErrors: ReadonlyArray<unknown>): void {
    const tally = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) countModule(module, tally);
    tally.failed += unhandledErrors.length;
    this.tally = tally;
    if (this.watching) process.stdout.write(lineOf(tally));
  }
}

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

function lineOf({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped\n`;
}

function countModule(module: TestModule, tally: Tally): void {
  const failedBefore = tally.failed;
  for (const test of module.children.allTests()) countTest(test, tally);
  tally.failed += module.errors().length;
  for (const suite of module.children.allSuites()) tally.failed += suiteErrors(suite);
  if (!module.ok() && tally.failed === failedBefore) tally.failed += 1;
}

function countTest(test: TestCase, tally: Tally): void {
  const state = test.result().state;
  if (state === "passed") tally.passed += 1;
  else if (state === "failed") tally.failed += 1;
  else tally.skipped += 1;
}

function suiteErrors(suite: TestSuite): number {
  return suite.errors().length;
}
