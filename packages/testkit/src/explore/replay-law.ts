import {
  type Chooser,
  describeChoice,
  type GeometryName,
  type LoggedEvent,
  type Machine,
  type MachineOptions,
  recordChoice,
  type Task,
  type ViolationKind,
} from "@nopage/core";
import { recordedCase } from "../explain/recorded-program.ts";
import type { LawCase } from "../laws/law.ts";
import type { Contender } from "../model/contender.ts";
import { ModelWorld } from "../model/model-world.ts";
import { type MachineCounters, type StateChange, StateFollower } from "./machine-state.ts";
import { namingContender } from "./naming-contender.ts";
import { searchedMachine } from "./searched-machine.ts";
import { stepInWords } from "./step-words.ts";
import { watchedCase } from "./watched-case.ts";

/** A step as it was recorded: the task by its number, and what it announced, in words. */
export interface RecordedStep {
  readonly task: number;
  readonly name: string;
  readonly does: string;
}

/** A step of a replay. */
export interface ReplayedStep extends RecordedStep {
  /** What the step touches, in the words of the plugin where it has given names. */
  readonly words: string;
  /** Whether the task of the step before could have gone on. */
  readonly preempts: boolean;
  /** The CPU that the task runs on; -1 for hardware. */
  readonly cpu: number;
  /** The calls that it is inside of, outermost first: system call or fault, hook of a plugin, function of the kernel. */
  readonly callers: readonly string[];
  /** What happened in it, by the event log. */
  readonly events: readonly LoggedEvent[];
  /** What it changed of areas, entries, TLBs, counts and gates. */
  readonly changes: readonly StateChange[];
  /** What there is to be counted once it is over. */
  readonly counters: MachineCounters;
  /** Operations of the program that ended in it, with their answers, or that it began. */
  readonly tells: readonly string[];
}

/** A run of a law's program in a given order. */
export interface LawReplay {
  /** How areas, entries, TLBs, counts and gates were before the first step. */
  readonly start: readonly StateChange[];
  readonly steps: readonly ReplayedStep[];
  readonly problems: readonly string[];
  /**
   * The position of the step after which the first problem was known; the last one for what only the end shows, and -1 for what
   * was known before there was a second task.
   */
  readonly failedAt: number;
}

/** The recorded order no longer fits the program. */
export class ScheduleMisfit extends Error {
  override readonly name = "ScheduleMisfit";
}

/** One program of a law on one contender, on a machine of this kind. */
export interface LawSetting {
  readonly lawCase: LawCase;
  readonly contender: Contender;
  readonly machine: MachineOptions;
}

/** The setting in which a program of a law is explored. */
export function settingOf(lawCase: LawCase, contender: Contender, geometry: GeometryName): LawSetting {
  return { lawCase, contender, machine: searchedMachine(lawCase, geometry) };
}

/**
 * Runs a program of a law once more in a recorded order. Where the recording ends, whoever ran last goes on as long as it
 * can, and then the first that can.
 *
 * @param recorded numbers of tasks, or steps, which have to announce what they announced then
 * @param followed whether the machine's state is followed from step to step, which takes most of the time, or left out
 * @throws ScheduleMisfit that names the step, what was recorded and what was found, when they differ
 */
export function replayLaw(
  setting: LawSetting,
  recorded: readonly (number | RecordedStep)[],
  followed: "state" | "steps" = "state",
): LawReplay {
  const names = new Map<string, string>();
  const tells: string[] = [];
  const { provokes = [] } = setting.lawCase;
  const provoked: readonly ViolationKind[] = typeof provokes === "string" ? [provokes] : provokes;
  const chooser = new ReplayingChooser(recorded, names, tells, provoked);
  const world = new ModelWorld(namingContender(setting.contender, names), {
    ...setting.machine,
    eventLog: "on",
    chooser,
  });
  chooser.follow(world.machine, followed);
  const lawCase = watchedCase(setting.lawCase, () => chooser.noteFailure());
  const { problems } = world.run(recordedCase(lawCase, (line) => tells.push(line)));
  chooser.finish();
  const { start, steps, failedAt } = chooser;
  return {
    start,
    steps,
    problems,
    failedAt: failedAt ?? steps.length - 1,
  };
}

const NOT_FOLLOWED: MachineCounters = { faults: 0, entries: 0, pins: 0 };

/** Repeats an order and notes what each step does. */
class ReplayingChooser implements Chooser {
  readonly name = "replay";
  readonly interleaves = true;
  readonly interleavesFrom = "second-task";
  readonly records = "nothing";
  readonly steps: ReplayedStep[] = [];
  start: readonly StateChange[] = [];
  failedAt: number | undefined = undefined;
  #followed: { readonly machine: Machine; readonly state: StateFollower | undefined } | undefined = undefined;
  readonly #recorded: readonly (number | RecordedStep)[];
  readonly #names: ReadonlyMap<string, string>;
  readonly #tells: string[];
  /** What is broken on purpose. */
  readonly #provoked: readonly ViolationKind[];
  #eventsBefore = 0;

  constructor(
    recorded: readonly (number | RecordedStep)[],
    names: ReadonlyMap<string, string>,
    tells: string[],
    provoked: readonly ViolationKind[],
  ) {
    this.#provoked = provoked;
    this.#recorded = recorded;
    this.#names = names;
    this.#tells = tells;
  }

  follow(machine: Machine, followed: "state" | "steps"): void {
    this.#followed = { machine, state: followed === "state" ? new StateFollower(machine) : undefined };
  }

  choose(enabled: readonly Task[]): Task {
    const machine = this.#followed?.machine;
    const [only] = enabled;
    if (machine === undefined) throw new Error("the replay has no machine to follow");
    if (!machine.sched.interleaving && only !== undefined) return only;
    this.#settleLast();
    const before = this.steps.at(-1)?.task;
    const last = enabled.find(({ id }) => id === before);
    const task = this.#next(enabled, last);
    this.steps.push({
      task: task.id,
      name: task.name,
      does: describeChoice(recordChoice(task)),
      words: stepInWords(task, this.#names, machine.geometry.pageSize),
      preempts: last !== undefined && last !== task,
      cpu: task.cpu,
      callers: callersOf(task),
      events: [],
      changes: [],
      counters: NOT_FOLLOWED,
      tells: [],
    });
    return task;
  }

  /** The step under way has failed. */
  noteFailure(): void {
    this.failedAt ??= this.steps.length - 1;
  }

  /** @throws ScheduleMisfit when the recording goes on */
  finish(): void {
    this.#settleLast();
    const { length } = this.steps;
    if (this.#recorded.length > length) {
      const next = this.#recorded[length];
      const what = typeof next === "object" ? `${next.name} would ${next.does}` : `task ${next} goes on`;
      throw new ScheduleMisfit(
        `step ${length + 1}: recorded was that ${what}; found was the end of the program`,
      );
    }
  }

  #next(enabled: readonly Task[], last: Task | undefined): Task {
    const at = this.steps.length;
    const wanted = this.#recorded[at];
    if (wanted === undefined) {
      const task = last ?? enabled[0];
      if (task === undefined) throw new Error("somebody is enabled when there is a choice");
      return task;
    }
    const number = typeof wanted === "number" ? wanted : wanted.task;
    const task = enabled.find(({ id }) => id === number);
    const step = `step ${at + 1}`;
    const recorded =
      typeof wanted === "number" ? `that task ${number} goes on` : `"${wanted.name}: ${wanted.does}"`;
    if (task === undefined) {
      const able = enabled.map(({ name }) => name).join(", ");
      throw new ScheduleMisfit(`${step}: recorded was ${recorded}; found was that only ${able} can go on`);
    }
    const does = describeChoice(recordChoice(task));
    if (typeof wanted === "object" && wanted.does !== does) {
      throw new ScheduleMisfit(`${step}: recorded was ${recorded}; found was "${task.name}: ${does}"`);
    }
    return task;
  }

  /** Notes what the step before has done, now that it is over. */
  #settleLast(): void {
    if (this.#followed === undefined) return;
    const { machine, state } = this.#followed;
    const step = this.steps.pop();
    const events = [...machine.log.events(this.#eventsBefore)];
    const tells = this.#tells.splice(0);
    const changes = state?.changes() ?? [];
    const counters = state?.counters() ?? NOT_FOLLOWED;
    this.#eventsBefore = machine.log.length;
    if (step === undefined) this.start = changes;
    else this.steps.push({ ...step, events, changes, counters, tells });
    if (this.#hasFailed(machine)) this.noteFailure();
  }

  /** Whether something is broken that is not to be, or somebody threw where no program could tell of it. */
  #hasFailed({ violations, sched }: Machine): boolean {
    return (
      violations.list.some(({ kind }) => !this.#provoked.includes(kind)) ||
      sched.tasks.some(({ failure }) => failure !== undefined)
    );
  }
}

function callersOf(task: Task): readonly string[] {
  const callers: string[] = [];
  for (let { calls } = task; calls !== undefined; calls = calls.outer) callers.unshift(calls.name);
  return callers;
}
