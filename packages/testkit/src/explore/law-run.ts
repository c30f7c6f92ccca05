import type { Chooser, GeometryName, MachineOptions, Task } from "@nopage/core";
import type { LawCase } from "../laws/law.ts";
import type { Contender } from "../model/contender.ts";
import { type CaseOutcome, ModelWorld } from "../model/model-world.ts";
import { ABANDON, type Explorable, type Moment, type Pending, type RunEnd } from "./search.ts";

/** Leaves a run that is not worth going on with. */
const abandoned = Symbol("abandoned");

/**
 * CPUs of the machine: each task has one to itself. Tasks that shared a CPU would wait for each other's atomic sections, which
 * no announced object stands for.
 */
const CPUS = 6;

/** One program of a law on one contender, as something to explore: each run builds a world of its own. */
export class LawRun implements Explorable {
  /** What the last run that went to the end came to. */
  outcome: CaseOutcome = { problems: [], steps: 0 };
  /** The tasks of the last run in the order of their steps, by number. */
  schedule: number[] = [];
  readonly #lawCase: LawCase;
  readonly #contender: Contender;
  readonly #options: MachineOptions;
  /** The world of the last run. */
  #scrapped: ModelWorld | undefined = undefined;

  constructor(lawCase: LawCase, contender: Contender, geometry: GeometryName) {
    this.#lawCase = lawCase;
    this.#contender = contender;
    this.#options = { ...lawCase.machine, geometry, cpus: Math.max(CPUS, lawCase.machine?.cpus ?? 0) };
  }

  run(choose: (moment: Moment) => number): RunEnd | undefined {
    this.schedule = [];
    const guide = new Guide(choose, this.schedule);
    const world = new ModelWorld(this.#contender, { ...this.#options, chooser: guide }, this.#scrapped);
    this.#scrapped = world;
    guide.follow(world);
    try {
      this.outcome = world.run(this.#lawCase);
    } catch (thrown) {
      if (thrown === abandoned) return undefined;
      throw thrown;
    }
    return guide.end();
  }
}

/** The chooser that lets a search decide. */
class Guide implements Chooser {
  readonly name = "search";
  readonly interleaves = true;
  readonly interleavesFrom = "second-task";
  readonly #choose: (moment: Moment) => number;
  readonly #schedule: number[];
  /** By task, whether it slept, or did not exist, when the search decided last. */
  readonly #slept: boolean[] = [];
  #now = 0;
  #sched: ModelWorld["machine"]["sched"] | undefined = undefined;

  constructor(choose: (moment: Moment) => number, schedule: number[]) {
    this.#choose = choose;
    this.#schedule = schedule;
  }

  follow({ machine }: ModelWorld): void {
    this.#sched = machine.sched;
  }

  choose(enabled: readonly Task[]): Task {
    const sched = this.#followed();
    const [only] = enabled;
    if (!sched.interleaving && only !== undefined) return only;
    if (sched.tasks.length > CPUS) throw new Error(`a law that is explored has ${CPUS} tasks at most`);
    const number = this.#choose({
      enabled: enabled.map(pendingOf),
      notedObjects: [...sched.notedObjects],
      notedAccesses: [...sched.notedAccesses],
      caused: this.#caused(),
      hasTimeMoved: sched.now !== this.#now,
    });
    this.#now = sched.now;
    if (number === ABANDON) throw abandoned;
    this.#schedule.push(number);
    const task = enabled.find(({ id }) => id === number);
    if (task === undefined) throw new Error(`task ${number} cannot go on`);
    return task;
  }

  end(): RunEnd {
    const { tasks, notedObjects, notedAccesses } = this.#followed();
    const waiting = tasks.filter(({ state, blockedOn }) => state === "ready" && blockedOn !== undefined);
    return {
      notedObjects: [...notedObjects],
      notedAccesses: [...notedAccesses],
      waiting: waiting.map(pendingOf),
    };
  }

  #caused(): readonly number[] {
    const caused: number[] = [];
    for (const { id, state } of this.#followed().tasks) {
      const isAsleep = state === "sleeping";
      if ((this.#slept[id] ?? true) && !isAsleep) caused.push(id);
      this.#slept[id] = isAsleep;
    }
    return caused;
  }

  #followed(): ModelWorld["machine"]["sched"] {
    if (this.#sched === undefined) throw new Error("the search has no machine to follow");
    return this.#sched;
  }
}

function pendingOf(task: Task): Pending {
  return {
    task: task.id,
    objects: [task.announcedObject, ...task.alsoObjects],
    accesses: [task.announcedAccess, ...task.alsoAccesses],
    mayBlock: task.blockedOn !== undefined,
    isConditional: task.announcer !== undefined,
  };
}
