import { AT_START, afterKey, type Standing, type Stepped } from "./stepper.ts";
import { screenOf } from "./stepper-screen.ts";
import type { Terminal } from "./terminal.ts";

/** Lets somebody at a terminal go through a replay, forwards and backwards, until they have seen enough. */
export async function stepThrough(stepped: Stepped, terminal: Terminal): Promise<void> {
  let standing: Standing = AT_START;
  const show = (): void => terminal.show(screenOf(stepped, standing, terminal));
  show();
  for await (const key of terminal.keys()) {
    const next = afterKey(stepped, standing, key);
    if (next === "over") return;
    standing = next;
    show();
  }
}
