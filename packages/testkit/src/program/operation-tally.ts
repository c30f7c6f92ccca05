/**
 * Operations and calls that were made and not begun: whoever forgets the star of `yield*` makes one and performs nothing.
 * A program makes them in the middle of its own steps, where nobody is at hand to be told but this one for all; it holds something
 * only from there to the end of the step.
 */
class OperationTally {
  /** Since it was asked last: names of those made and not begun, and of those begun that were made before. */
  #made: string[] = [];
  #begun: string[] = [];

  make(name: string): void {
    this.#made.push(name);
  }

  begin(name: string): void {
    if (this.#made.at(-1) === name) {
      this.#made.pop();
      return;
    }
    const at = this.#made.lastIndexOf(name);
    if (at < 0) this.#begun.push(name);
    else this.#made.splice(at, 1);
  }

  /** Forgets all that was made by others. */
  clear(): void {
    if (this.#made.length > 0) this.#made = [];
    if (this.#begun.length > 0) this.#begun = [];
  }

  /** Adds what was made and not begun since it was cleared, and takes out what was begun late. */
  addTo(untaken: string[]): void {
    if (this.#made.length > 0) untaken.push(...this.#made);
    for (const name of this.#begun) {
      const at = untaken.indexOf(name);
      if (at >= 0) untaken.splice(at, 1);
    }
  }
}

export const operationTally = new OperationTally();
