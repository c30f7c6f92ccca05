import type { Chooser, GeometryName, MachineOptions, Task } from "@nopage/core";
import type { LawCase } from "../laws/law.ts";
import type { Contender } from "../model/contender.ts";
import { type CaseOutcome, ModelWorld } from "../model/model-world.ts";
import { firstLine } from "./first-line.ts";
import { ABANDON, type Explorable, type Moment, NotTheSameProgram, type RunEnd } from "./search.ts";
import { searchedMachine } from "./searched-machine.ts";
import { Step } from "./step.ts";

/** Leaves a run that is not worth going on with. */
const abandoned = Symbol("abandoned");

/** What an execution of a law's program came to. */
export interface LawOutcome extends CaseOutcome {
  /**
   * The tasks in the order of their steps, by number. Where nothing was broken, those steps are left out that a task took when
   * it was the only one left.
   */
  readonly schedule: readonly number[];
}

/**
 * One program of a law on one contender, as something to explore: each run builds a world of its own. What breaks something
 * is run again, for a report in full; the others need none.
 */
export class LawRun implements Explorable {
  /** What the search's last execution came to. */
  outcome: LawOutcome = { problems: [], steps: 0, schedule: [] };
  readonly #lawCase: LawCase;
  readonly #contender: Contender;
  readonly #options: MachineOptions;
  /** The tasks that the search has chosen in the last run, and where it told one to go on alone. */
  readonly #chosen: number[] = [];
  readonly #aloneFrom: number[] = [];
  readonly #kept: (() => void) | undefined;
  #came: CaseOutcome = this.outcome;
  /** The world of the last run of all, of whichever program: most programs have few executions. */
  static #scrapped: ModelWorld | undefined = undefined;

  /** @param kept told of each execution before the program is run again */
  constructor(lawCase: LawCase, contender: Contender, geometry: GeometryName, kept?: () => void) {
    this.#kept = kept;
    this.#lawCase = lawCase;
    this.#contender = contender;
    this.#options = { reports: "brief", ...searchedMachine(lawCase, geometry) };
  }

  run(choose: (moment: Moment) => number): RunEnd | undefined {
    this.#chosen.length = 0;
    this.#aloneFrom.length = 0;
    const guide = new Guide(choose, this.#chosen, this.#aloneFrom);
    const scrapped = LawRun.#scrapped;
    // Nobody else may take it over, nor this one before its run is over.
    LawRun.#scrapped = undefined;
    const world = new ModelWorld(this.#contender, { chooser: guide, ...this.#options }, scrapped);
    guide.follow(world);
    try {
      this.#came = world.run(this.#lawCase);
    } catch (thrown) {
      if (thrown === abandoned) return undefined;
      throw thrown;
    } finally {
      LawRun.#scrapped = world;
    }
    return guide.end();
  }

  keepOutcome(): void {
    this.#kept?.();
    const { problems, steps } = this.#came;
    const chosen = this.#chosen.slice();
    this.outcome =
      problems.length === 0
        ? { problems, steps, schedule: chosen }
        : this.#inFull(chosen, this.#aloneFrom.slice());
  }

  /** What a run that broke something came to, with all that its reports can tell. */
  #inFull(chosen: readonly number[], aloneFrom: readonly number[]): LawOutcome {
    const schedule: number[] = [];
    let step = 0;
    const guide = new Guide((moment) => {
      if (aloneFrom.includes(step)) moment.goOnAlone();
      return chosen[step++] ?? ABANDON;
    }, schedule);
    const world = new ModelWorld(this.#contender, { chooser: guide, ...this.#options, reports: "full" });
    guide.follow(world);
    const came = world.run(this.#lawCase);
    const [before, now] = [this.#came, came].map(({ problems }) => problems.map(firstLine).join("; "));
    if (before === now && step === chosen.length) return { ...came, schedule };
    throw new NotTheSameProgram(`a run that broke ${before} broke ${now} when it was repeated`);
  }
}

/** The chooser that lets a search decide. */
class Guide implements Chooser, Moment {
  readonly name = "search";
  readonly interleaves = true;
  readonly interleavesFrom = "second-task";
  readonly records = "nothing";
  readonly #choose: (moment: Moment) => number;
  readonly #schedule: number[];
  /** Where in the schedule a task went on alone; undefined where its steps are part of the schedule. */
  readonly #aloneFrom: number[] | undefined;
  /** Whether the task that goes on need not be asked for. */
  #isAlone = false;
  /** By task, whether it slept when it was asked last what was caused; undefined for one that did not exist. */
  readonly #slept: boolean[] = [];
  /** The time when it was asked last whether it had moved. */
  #now = 0;
  #sched: ModelWorld["machine"]["sched"] | undefined = undefined;
  #enabled: readonly Task[] = [];

  /**
   * @param schedule the tasks that go on are added to it
   * @param aloneFrom where in it a task is told to go on alone is added to this, and the steps that follow are not announced; without
   * it they are, and belong to the schedule
   */
  constructor(choose: (moment: Moment) => number, schedule: number[], aloneFrom?: number[]) {
    this.#choose = choose;
    this.#schedule = schedule;
    this.#aloneFrom = aloneFrom;
  }

  follow({ machine }: ModelWorld): void {
    this.#sched = machine.sched;
  }

  choose(enabled: readonly Task[]): Task {
    const [only] = enabled;
    const sched = this.#followed();
    if (!sched.interleaving && only !== undefined) return only;
    if (this.#isAlone && only !== undefined) {
      if (sched.isDownToOne) {
        if (this.#aloneFrom === undefined) this.#schedule.push(only.id);
        return only;
      }
      this.#isAlone = false;
    }
    this.#enabled = enabled;
    const number = this.#choose(this);
    if (number === ABANDON) throw abandoned;
    this.#schedule.push(number);
    const task = this.#find(number);
    if (task === undefined) throw new NotTheSameProgram(`task ${number} cannot go on`);
    return task;
  }

  end(): RunEnd {
    this.#enabled = [];
    const { notedObjects, notedAccesses } = this.#followed();
    return { notedObjects, notedAccesses, waiting: this.waiting() };
  }

  waiting(): readonly Step[] {
    const waiting: Step[] = [];
    for (const task of this.#followed().tasks) {
      const { state, blockedOn } = task;
      if (state !== "ready" || blockedOn === undefined || this.#enabled.includes(task)) continue;
      waiting.push(stepOf(task));
    }
    return waiting;
  }

  enabled(): readonly number[] {
    const numbers: number[] = [];
    for (const { id } of this.#enabled) numbers.push(id);
    return numbers;
  }

  enabledAbove(number: number): number {
    for (const { id } of this.#enabled) if (id > number) return id;
    return -1;
  }

  nextStep(number: number): Step | undefined {
    const task = this.#find(number);
    return task === undefined ? undefined : stepOf(task);
  }

  isAbout(number: number, object: number, access: number): boolean {
    const task = this.#find(number);
    return task?.announcedObject === object && task.announcedAccess === access;
  }

  get notedObjects(): readonly number[] {
    return this.#followed().notedObjects;
  }

  get notedAccesses(): readonly number[] {
    return this.#followed().notedAccesses;
  }

  caused(): readonly number[] {
    const caused: number[] = [];
    for (const { id, state } of this.#followed().tasks) {
      const isAsleep = state === "sleeping";
      if ((this.#slept[id] ?? true) && !isAsleep) caused.push(id);
      this.#slept[id] = isAsleep;
    }
    return caused;
  }

  hasTimeMoved(): boolean {
    const { now } = this.#followed();
    const hasMoved = now !== this.#now;
    this.#now = now;
    return hasMoved;
  }

  isDownToOne(): boolean {
    return this.#followed().isDownToOne;
  }

  goOnAlone(): void {
    this.#isAlone = true;
    if (this.#aloneFrom === undefined) return;
    this.#aloneFrom.push(this.#schedule.length);
    this.#followed().goOnAlone();
  }

  #find(number: number): Task | undefined {
    for (const task of this.#enabled) if (task.id === number) return task;
    return undefined;
  }

  #followed(): ModelWorld["machine"]["sched"] {
    if (this.#sched === undefined) throw new Error("the search has no machine to follow");
    return this.#sched;
  }
}

/** The step that a task is about to take, as it has announced it. */
function stepOf(task: Task): Step {
  const { id, announcedObject, announcedAccess, alsoObjects, alsoAccesses } = task;
  return new Step(
    id,
    [announcedObject, ...alsoObjects],
    [announcedAccess, ...alsoAccesses],
    task.blockedOn !== undefined,
    true,
    undefined,
    task.announcer === undefined ? 1 + alsoObjects.length : 0,
  );
}
