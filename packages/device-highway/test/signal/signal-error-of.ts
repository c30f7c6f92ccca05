import { SignalError } from "../../src/signal/index.ts";

/** Runs what must fail, and returns its SignalError; anything else that comes out fails the test. */
export async function signalErrorOf(run: () => unknown): Promise<SignalError> {
  try {
    await run();
  } catch (error) {
    if (error instanceof SignalError) return error;
    throw error;
  }
  throw new Error("a SignalError was expected, but nothing was thrown");
}
