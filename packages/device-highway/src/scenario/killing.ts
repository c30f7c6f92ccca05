import type { Chooser, Process } from "@nopage/core";
import type { Kernel, VirtualNs } from "@nopage/core/contract";

/** When the signal comes: at a virtual time, or before a scheduling step, counted from the start of the run. */
export type KillTime = { readonly at: VirtualNs } | { readonly step: number };

/**
 * A chooser that lets somebody look before each choice. Between two steps nobody runs, so that even a signal can be sent
 * from there, as from another machine's shell.
 */
export class WatchedChooser implements Chooser {
  readonly name: string;
  readonly interleaves: boolean;
  /** Called before each choice with the number of those before it. */
  onStep: (step: number) => void = () => undefined;
  readonly #chooser: Chooser;
  #steps = 0;

  constructor(chooser: Chooser) {
    this.#chooser = chooser;
    this.name = chooser.name;
    this.interleaves = chooser.interleaves;
  }

  /** Starts to count anew, with another observer. */
  watch(onStep: (step: number) => void): void {
    this.#steps = 0;
    this.onStep = onStep;
  }

  choose(...[enabled, last]: Parameters<Chooser["choose"]>): ReturnType<Chooser["choose"]> {
    this.onStep(this.#steps++);
    return this.#chooser.choose(enabled, last);
  }
}

/** Sends SIGKILL at a virtual time, counted from now. */
export function killAfter(kernel: Kernel, delay: VirtualNs, kill: () => void): void {
  kernel.time.spawnHardware("kill -9", function* () {
    if (delay > 0) yield* kernel.time.sleep(delay);
    kill();
  });
}

/** Sends the signal to a process that still runs, and says whether there was one. */
export function killIfAlive(process: Process): boolean {
  if (process.isGone || process.exit !== undefined) return false;
  process.kill("SIGKILL");
  return true;
}
