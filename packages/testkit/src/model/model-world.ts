import {
  createKernel,
  formatViolation,
  type Kernel,
  Machine,
  type MachineOptions,
  type Process,
  reportEnd,
  type Violation,
} from "@nopage/core";
import type { LawCase, Stage } from "../laws/law.ts";
import { LawBroken } from "../program/expect.ts";
import { type Stock, stocked, takeStock } from "../stock.ts";
import type { Contender, Placed } from "./contender.ts";
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
  readonly #placed: Placed;
  readonly #executor: ModelExecutor;
  readonly #before: Stock;

  /** @param scrapped a world whose run is over and has been judged: its machine's memory is taken over */
  constructor(contender: Contender, options: MachineOptions, scrapped?: ModelWorld) {
    this.machine = new Machine(
      { ramPages: 96, stepLimit: 100_000, sanitizers: "all", ...options },
      scrapped?.machine,
    );
    this.kernel = createKernel(this.machine);
    registerNull(this.machine);
    this.#placed = contender.place(this.machine, this.kernel);
    this.stage = this.#placed.stage;
    this.#executor = new ModelExecutor(this.machine, this.kernel);
    this.#before = takeStock(this.machine);
  }

  /** Runs the program, and whatever it starts, to the end, and looks at what is left. */
  run({ program, provokes }: LawCase): CaseOutcome {
    const { machine, stage } = this;
    const main = machine.spawn("law", (thread) => this.#executor.execute(thread, program(stage)));
    const report = machine.sched.run();
    reportEnd(machine, report);
    return { problems: this.#problems(main, provokes), steps: report.steps };
  }

  #problems(main: Process, provokes: LawCase["provokes"]): readonly string[] {
    const { sched, violations } = this.machine;
    const problems: string[] = [];
    for (const { failure, name } of sched.tasks) {
      if (failure !== undefined) problems.push(failureInWords(name, failure));
    }
    const provoked = typeof provokes === "string" ? [provokes] : (provokes ?? []);
    for (const breach of violations.list) if (!provoked.includes(breach.kind)) problems.push(inWords(breach));
    problems.push(...this.#placed.trespasses());
    for (const kind of provoked) {
      if (violations.list.some((breach) => breach.kind === kind)) continue;
      problems.push(`nobody has reported the ${kind} that the program provokes`);
    }
    if (problems.length > 0) return problems;
    if (main.exit !== undefined && "signal" in main.exit) return [`the program died of ${main.exit.signal}`];
    return typeof provokes === "object" ? [] : differences(this.#before, takeStock(this.machine));
  }
}

/** A violation in full; how a run that came to no end is said to be begins with that. */
function inWords(violation: Violation): string {
  const words = formatViolation(violation);
  const { kind, message } = violation;
  if (kind === "deadlock" || kind === "lost-wake-up") return `deadlock: ${message}\n${words}`;
  return kind === "hung-task" ? `it goes on for ever: ${message}\n${words}` : words;
}

/** `/dev/null`, which every kernel has: a device that can be opened and not mapped (drivers/char/mem.c `null_fops`). */
function registerNull({ devices }: Machine): void {
  const path = "/dev/null";
  if (typeof devices.register(path, { name: path, owner: undefined }) === "number") {
    throw new Error(`${path} is already registered`);
  }
}

/** What a program ended with that threw, as a report has it. */
export function failureInWords(task: string, failure: unknown): string {
  if (failure instanceof LawBroken) return failure.message;
  const { message } = failure instanceof Error ? failure : { message: String(failure) };
  return `${task} threw ${message}`;
}

function differences(before: Stock, after: Stock): readonly string[] {
  const found: string[] = [];
  for (const what of stocked) {
    if (before[what] !== after[what]) found.push(`leak: ${what} was ${before[what]} and is ${after[what]}`);
  }
  return found;
}
