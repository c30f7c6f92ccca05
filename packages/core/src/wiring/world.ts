import "reflect-metadata";
import { inject, injectable } from "tsyringe";
import { ContractViolation, InvariantBroken } from "../contract/contract-violation.ts";
import type { LoadedDriver } from "../contract/device-driver.ts";
import type { Kernel } from "../contract/kernel.ts";
import type { PinningPolicy } from "../contract/pinning-policy.ts";
import type { MappingStrategy } from "../contract/strategy.ts";
import type { Machine } from "../machine.ts";
import { reportEnd } from "../sanitize/report-end.ts";
import type { RunReport } from "../sched/scheduler.ts";
import type { Closers } from "./closers.ts";
import { findLeaks, type Leak } from "./leak-report.ts";
import { type Stock, takeStock } from "./stock.ts";
import { tokens } from "./tokens.ts";
import type { WorldSettings } from "./world-settings.ts";

/** A machine with a driver at work on it, on the strategy and the pinning policy that were asked for. */
@injectable()
export class World {
  readonly settings: WorldSettings;
  readonly machine: Machine;
  readonly kernel: Kernel;
  readonly strategy: MappingStrategy;
  readonly pinning: PinningPolicy;
  /** The driver; who knows which one it is may narrow it. */
  readonly driver: LoadedDriver;
  readonly #closers: Closers;
  readonly #beforeLoading: Stock;
  readonly #afterLoading: Stock;
  #isClosed = false;
  readonly #failuresSeen = new Set<unknown>();

  constructor(
    @inject(tokens.settings) settings: WorldSettings,
    @inject(tokens.machine) machine: Machine,
    @inject(tokens.kernel) kernel: Kernel,
    @inject(tokens.strategy) strategy: MappingStrategy,
    @inject(tokens.pinning) pinning: PinningPolicy,
    @inject(tokens.stock) beforeLoading: Stock,
    @inject(tokens.loaded) driver: LoadedDriver,
    @inject(tokens.closers) closers: Closers,
  ) {
    this.settings = settings;
    this.machine = machine;
    this.kernel = kernel;
    this.strategy = strategy;
    this.pinning = pinning;
    this.driver = driver;
    this.#closers = closers;
    this.#beforeLoading = beforeLoading;
    this.#afterLoading = takeStock(machine);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Runs what has been spawned until nothing more happens. A deadlock, a hung task and a plugin that threw become
   * violations of the machine, so that whoever reads those has everything.
   *
   * @throws what a task threw if that is a mistake of the machine itself
   */
  run(): RunReport {
    const report = this.machine.sched.run();
    reportEnd(this.machine, report);
    this.#lookAtFailures();
    return report;
  }

  /** What is held beyond what there was once the driver was loaded or, after `close`, before it was. */
  leaks(): readonly Leak[] {
    return findLeaks(this.#isClosed ? this.#beforeLoading : this.#afterLoading, takeStock(this.machine));
  }

  /**
   * Takes the driver out again, inside the machine, and answers with what is left over. Closing again changes nothing
   * and answers the same.
   */
  close(): readonly Leak[] {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#closers.run();
      this.#lookAtFailures();
    }
    return this.leaks();
  }

  #lookAtFailures(): void {
    const { sched, violations } = this.machine;
    const failed = sched.tasks.filter((task) => task.failure !== undefined && !this.#failuresSeen.has(task));
    for (const task of failed) {
      this.#failuresSeen.add(task);
      const { name, failure } = task;
      if (failure instanceof InvariantBroken) throw failure;
      const what =
        failure instanceof ContractViolation ? failure.message : `${name} died of ${String(failure)}`;
      // The scheduler may have seen it already.
      if (!violations.list.some(({ message }) => message === what)) violations.report("contract", what);
    }
  }
}
