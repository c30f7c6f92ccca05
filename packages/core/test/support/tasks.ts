import type { Point, Sleep } from "../../src/contract/execution.ts";
import type { ViolationKind, ViolationSink } from "../../src/sanitize/violation.ts";
import type { Chooser } from "../../src/sched/chooser.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import { runToBlock } from "../../src/sched/run-to-block-chooser.ts";
import { type RunReport, Scheduler } from "../../src/sched/scheduler.ts";
import type { Task, TaskKind } from "../../src/sched/task.ts";

type Body = () => Generator<Point | Sleep, unknown, void>;

/** A scheduler alone, without the machine around it: tasks, what they reported, and how the run ended. */
export class Tasks {
  readonly sched: Scheduler;
  readonly reports: { readonly kind: ViolationKind; readonly message: string }[] = [];

  constructor(chooser: Chooser = runToBlock, cpus = 2, stepLimit = 100_000) {
    const violations: ViolationSink = { report: (kind, message) => this.reports.push({ kind, message }) };
    this.sched = new Scheduler({ cpus, chooser, stepLimit, violations });
  }

  /** A task on a CPU, the CPUs in turn unless told otherwise. */
  start(
    name: string,
    body: Body,
    cpu = this.sched.tasks.length % this.sched.cpus,
    kind: TaskKind = "user",
  ): Task {
    return this.sched.spawn({ name, kind, cpu }, body());
  }

  /** A task that may be left waiting at the end. */
  daemon(name: string, body: Body, cpu = 0): Task {
    return this.sched.spawn({ name, kind: "kernel", cpu, daemon: "daemon" }, body());
  }

  /** Runs; what a task threw is thrown here. */
  run(): RunReport {
    const report = this.sched.run();
    for (const { failure } of this.sched.tasks) if (failure !== undefined) throw failure;
    return report;
  }

  get kinds(): readonly ViolationKind[] {
    return this.reports.map(({ kind }) => kind);
  }
}

/** Run-to-block, and a few random seeds: for what must hold under every chooser. */
export function someChoosers(
  seeds = 20,
): readonly { readonly name: string; readonly chooser: () => Chooser }[] {
  const random = Array.from({ length: seeds }, (_, seed) => ({
    name: `random (seed ${seed})`,
    chooser: () => randomChooser(seed),
  }));
  return [{ name: "run-to-block", chooser: () => runToBlock }, ...random];
}
