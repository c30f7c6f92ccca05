/** What has to be undone at the end: run once each, the last one first. */
export class Closers {
  readonly #stack: (() => void)[] = [];

  push(closer: () => void): void {
    this.#stack.push(closer);
  }

  /** Runs all of them, also when one fails; then the first failure is thrown. Running again does nothing. */
  run(): void {
    const failures: unknown[] = [];
    for (let closer = this.#stack.pop(); closer !== undefined; closer = this.#stack.pop()) {
      try {
        closer();
      } catch (failure) {
        failures.push(failure);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
