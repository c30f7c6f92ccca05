/** Whether the person at the terminal has asked for an end, by Ctrl-C. The second time the process ends at once. */
export class Interruption {
  hasCome = false;
  readonly #come = (): void => {
    this.hasCome = true;
  };

  constructor() {
    process.once("SIGINT", this.#come);
  }

  /** From now on Ctrl-C ends the process. */
  end(): void {
    process.off("SIGINT", this.#come);
  }
}
