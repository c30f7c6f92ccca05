import {
  createKernel,
  type Kernel,
  Machine,
  type MachineOptions,
  type Process,
  type RunReport,
} from "@nopage/core";
import type { LawCase, Stage } from "../laws/law.ts";
import { LawBroken } from "../program/expect.ts";
import { type Stock, takeStock } from "../stock.ts";
import type { Contender } from "./contender.ts";
import { ModelExecutor } from "./model-executor.ts";

/** What a run of one program of a law came to. */
export interface CaseOutcome {
  /** What was broken, in words; none where the law holds. */
  readonly problems: readonly string[];
  /** Scheduling steps. */
  readonly steps: number;
}

/** A machine with a subject on it, on which one program is run once. */
export class ModelWorld {
  readonly machine: Machine;
  readonly kernel: Kernel;
  readonly stage: Stage;
  readonly #executor: ModelExecutor;
  readonly #before: Stock;

  constructor(contender: Contender, options: MachineOptions) {
    this.machine = new Machine({ ramPages: 96, stepLimit: 100_000, ...options });
    this.kernel = createKernel(this.machine);
    registerNull(this.machine);
    this.stage = contender.place(this.machine, this.kernel);
    this.#executor = new ModelExecutor(this.machine, this.kernel);
    this.#before = takeStock(this.machine);
  }

  /** Runs the program, and whatever it starts, to the end, and looks at what is left. */
  run({ program }: LawCase): CaseOutcome {
    const { machine, stage } = this;
    const main = machine.spawn("law", (thread) => this.#executor.execute(thread, program(stage)));
    const report = machine.sched.run();
    return { problems: this.#problems(main, report), steps: report.steps };
  }

  #problems(main: Process, { status, waiting }: RunReport): readonly string[] {
    const { sched, violations } = this.machine;
    const failures = sched.tasks.flatMap(({ failure, name }) =>
      failure === undefined ? [] : [failureInWords(name, failure)],
    );
    const breaches = violations.list.map(({ kind, task, message }) => `${kind} by ${task}: ${message}`);
    const problems = [...failures, ...breaches];
    if (status === "deadlock") problems.push(`deadlock: ${waiting.join("; ")}`);
    if (status === "step-limit") problems.push(`it goes on for ever: ${waiting.join("; ")}`);
    if (problems.length > 0) return problems;
    if (main.exit !== undefined && "signal" in main.exit) return [`the program died of ${main.exit.signal}`];
    return differences(this.#before, takeStock(this.machine));
  }
}

/** `/dev/null`, which every kernel has: a device that can be opened and not mapped (drivers/char/mem.c `null_fops`). */
function registerNull({ devices }: Machine): void {
  const path = "/dev/null";
  if (typeof devices.register(path, { name: path, owner: undefined }) === "number") {
    throw new Error(`${path} is already registered`);
  }
}

function failureInWords(task: string, failure: unknown): string {
  if (failure instanceof LawBroken) return failure.message;
  const { message } = failure instanceof Error ? failure : { message: String(failure) };
  return `${task} threw ${message}`;
}

function differences(before: Stock, after: Stock): readonly string[] {
  return (Object.keys(before) as (keyof Stock)[])
    .filter((what) => before[what] !== after[what])
    .map((what) => `leak: ${what} was ${before[what]} and is ${after[what]}`);
}
