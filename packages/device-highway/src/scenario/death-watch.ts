import { createKernel, type Machine, type Process, type RunReport } from "@nopage/core";
import type { Kernel, VirtualNs } from "@nopage/core/contract";
import type { AcquireWorld } from "../acquire/acquire.ts";
import { LoadedHighway } from "../driver/loaded-highway.ts";
import { type KillTime, killAfter, killIfAlive, type WatchedChooser } from "./killing.ts";

/** A world in which a process can be killed: a `World` is one. */
export interface KillWorld extends AcquireWorld {
  /** Takes the driver out, and answers with what is left over. */
  close(): readonly { readonly what: string; readonly of: string; readonly count: number }[];
}

/** Watches over one process: kills it when its time has come, and notes when that was and when it was gone. */
export class DeathWatch {
  readonly kernel: Kernel;
  killedAt: VirtualNs | undefined = undefined;
  goneAt: VirtualNs | undefined = undefined;
  readonly #machine: Machine;
  readonly #process: Process;

  constructor(machine: Machine, process: Process) {
    this.#machine = machine;
    this.#process = process;
    this.kernel = createKernel(machine);
    this.kernel.time.spawnKernelThread("undertaker", () => this.#waitForEnd(), "daemon");
  }

  /** Arranges for the end; a step needs the chooser of the machine. */
  arrange(time: KillTime | undefined, chooser?: WatchedChooser): void {
    if (time === undefined) return;
    if ("at" in time) killAfter(this.kernel, time.at, () => this.#kill());
    else
      chooser?.watch((step) => {
        if (step === time.step) this.#kill();
      });
  }

  /** Virtual time between the signal and the end; 0 when there was none. */
  get dyingNs(): VirtualNs {
    const { killedAt, goneAt } = this;
    return killedAt === undefined || goneAt === undefined ? 0 : goneAt - killedAt;
  }

  #kill(): void {
    if (killIfAlive(this.#process)) this.killedAt = this.#machine.sched.now;
  }

  *#waitForEnd() {
    yield* this.#process.waitForEnd();
    this.goneAt = this.#machine.sched.now;
  }
}

/** The driver at work in a world. @throws TypeError when it is another package's */
export function highwayOf({ driver }: AcquireWorld): LoadedHighway {
  if (driver instanceof LoadedHighway && driver.card !== undefined) return driver;
  throw new TypeError("the scenario needs a world with the highway driver on a highway card");
}

/** Ends a run: the driver goes, and what is wrong is put in words. */
export function settleWorld(world: KillWorld, report: RunReport) {
  const { quarantined, statistics } = highwayOf(world);
  const leaks = world.close().map(({ what, of, count }) => `${count} ${what}${of === "" ? "" : ` (${of})`}`);
  return {
    bytes: statistics.bytes,
    aborted: statistics.aborted,
    quarantinedPages: quarantined.pages,
    leaks,
    violations: [...world.machine.violations.list],
    stuck: report.status === "finished" ? [] : report.waiting,
  };
}
