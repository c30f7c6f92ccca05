/** In place of an object: identities are natural numbers. */
const SEVERAL = -1;

/** One step of a task: as announced before it is taken, and with everything that it touched afterwards. */
export class Step {
  readonly task: number;
  /** The identities of the objects it touched, and how it touched each: see `ObjectKind` and `PointAccess` of the core. */
  readonly objects: readonly number[];
  readonly accesses: readonly number[];
  /** Whether it had to wait until it could be taken, as for a lock. */
  readonly mayBlock: boolean;
  /**
   * Whether what it touches may depend on what it finds, as for a compare-and-swap. So it is for every step of the kernel: whoever
   * drops the last reference frees the page in the same step.
   */
  readonly isConditional: boolean;
  /** The step that created the task, or woke it before this step. */
  readonly cause: Step | undefined;
  /** How many of its objects, from the first on, it touches in any case, whatever it finds. */
  readonly certain: number;
  /** The object that it touches, as most steps touch one, and how; `SEVERAL` and 0 where it touches more. */
  readonly only: number;
  readonly onlyAccess: number;

  constructor(
    task: number,
    objects: readonly number[],
    accesses: readonly number[],
    mayBlock: boolean,
    isConditional: boolean,
    cause?: Step,
    certain: number = isConditional ? 0 : objects.length,
  ) {
    this.task = task;
    this.objects = objects;
    this.accesses = accesses;
    this.mayBlock = mayBlock;
    this.isConditional = isConditional;
    this.cause = cause;
    this.certain = certain;
    const isOne = objects.length === 1;
    this.only = isOne ? (objects[0] as number) : SEVERAL;
    this.onlyAccess = isOne ? (accesses[0] as number) : 0;
  }

  /** Whether it touches a lock otherwise than by giving it back. */
  takes(lock: number): boolean {
    return this.objects.some((object, index) => object === lock && !isUnlock(this.accesses[index]));
  }

  /** Whether it waits until it has a lock alone. */
  waitsAlone(lock: number): boolean {
    return this.mayBlock && this.objects[0] === lock && this.accesses[0] === LOCK;
  }

  /** The same step, as caused by another one. */
  causedBy(cause: Step | undefined): Step {
    if (cause === this.cause) return this;
    const { task, objects, accesses, mayBlock, isConditional, certain } = this;
    return new Step(task, objects, accesses, mayBlock, isConditional, cause, certain);
  }

  /** The same step, with what else it touched and what caused it. */
  completed(
    {
      notedObjects,
      notedAccesses,
    }: { readonly notedObjects: readonly number[]; readonly notedAccesses: readonly number[] },
    cause: Step | undefined,
  ): Step {
    const { task, objects, accesses, mayBlock, isConditional, certain } = this;
    if (notedObjects.length === 0) return cause === undefined ? this : this.causedBy(cause);
    return new Step(
      task,
      [...objects, ...notedObjects],
      [...accesses, ...notedAccesses],
      mayBlock,
      isConditional,
      cause,
      certain,
    );
  }
}

/** The kind of access, as numbered by the core, that leaves an object as it is. */
const READ = 1;
/** Those by which a lock is taken alone, and given back: by who had it alone, and by a reader. */
const LOCK = 5;
export const UNLOCK = 7;
const UNLOCK_SHARED = 10;

function isUnlock(access: number | undefined): boolean {
  return access === UNLOCK || access === UNLOCK_SHARED;
}

/** Tells which kinds of access of one object may not be swapped; kinds are numbers below 32. */
export type Conflicts = (one: number, other: number) => boolean;

/** Kinds of access are below this. */
const KINDS = 32;

/** How the steps of a program depend on each other. */
export class Dependence {
  /** By kind of access, the bit set of kinds that it conflicts with, as the later one and as the earlier. */
  readonly #conflicting = new Int32Array(KINDS);

  constructor(conflicts: Conflicts) {
    for (let one = 0; one < KINDS; one++) {
      for (let other = 0; other < KINDS; other++) {
        if (conflicts(one, other)) this.#conflicting[one] = (this.#conflicting[one] as number) | (1 << other);
      }
    }
  }

  /** Whether two steps of different tasks, in this order, may not be swapped. */
  conflict(earlier: Step, later: Step): boolean {
    // This is asked for nearly every pair of steps.
    if (earlier.only !== SEVERAL && later.only !== SEVERAL) {
      return earlier.only === later.only && this.#clash(earlier.onlyAccess, later.onlyAccess);
    }
    return this.#conflictOfFirst(earlier, earlier.objects.length, later, later.objects.length);
  }

  /** Whether two steps of different tasks, in this order, may not be swapped, whatever the later one finds in its place. */
  conflictInAnyCase(earlier: Step, later: Step): boolean {
    return this.#conflictOfFirst(earlier, earlier.objects.length, later, later.certain);
  }

  /** The same of two steps that may each find something else in their place. */
  conflictForSure(one: Step, other: Step): boolean {
    return this.#conflictOfFirst(one, one.certain, other, other.certain);
  }

  /**
   * Whether the later step of a race does the same without the earlier one: that one only reads what they conflict over, and
   * the later one does not wait for a lock, under which more could come with it.
   */
  isBlindTo(earlier: Step, later: Step): boolean {
    if (later.mayBlock) return false;
    const { objects, accesses } = earlier;
    for (let one = 0; one < objects.length; one++) {
      if (accesses[one] === READ) continue;
      for (let other = 0; other < later.objects.length; other++) {
        if (objects[one] === later.objects[other]) return false;
      }
    }
    return true;
  }

  /**
   * Whether `earlier` gives back what `later` has to wait for, without having taken it itself: an order, but no race, as
   * `later` could not have come first.
   */
  isHandOver(earlier: Step, later: Step): boolean {
    if (!later.mayBlock) return false;
    const { objects, accesses } = earlier;
    const lock = later.objects[0];
    const access = later.accesses[0] as number;
    let isGivenBack = false;
    for (let one = 0; one < objects.length; one++) {
      if (objects[one] !== lock || !this.#clash(accesses[one] as number, access)) continue;
      if (!isUnlock(accesses[one])) return false;
      isGivenBack = true;
    }
    return isGivenBack;
  }

  /** Whether two steps conflict over what the later one may have to wait for. */
  isOverLock(earlier: Step, later: Step): boolean {
    const { objects, accesses } = earlier;
    if (!later.mayBlock) return false;
    for (let one = 0; one < objects.length; one++) {
      if (objects[one] !== later.objects[0]) continue;
      if (this.#clash(accesses[one] as number, later.accesses[0] as number)) return true;
    }
    return false;
  }

  /** Whether `later` comes after `earlier` in every equal run: same task, conflict, or cause. */
  isOrdered(earlier: Step, later: Step): boolean {
    return earlier.task === later.task || later.cause === earlier || this.conflict(earlier, later);
  }

  /** Whether a step is independent of the first `count` of a sequence, and of none of their tasks. */
  isApart(step: Step, sequence: readonly Step[], count: number): boolean {
    for (let index = 0; index < count; index++) {
      const other = sequence[index] as Step;
      if (other.task === step.task || this.conflict(step, other)) return false;
    }
    return true;
  }

  /** Whether nothing in the sequence comes before its element `index` in every equal run. */
  isInitial(sequence: readonly Step[], index: number): boolean {
    return !this.isAfterAny(sequence[index] as Step, sequence, index);
  }

  /** Whether a step comes after any of the first `count` of a sequence in every equal run. */
  isAfterAny(step: Step, sequence: readonly Step[], count: number): boolean {
    for (let before = 0; before < count; before++) {
      if (this.isOrdered(sequence[before] as Step, step)) return true;
    }
    return false;
  }

  /** Whether what steps do to the first objects of each conflicts. */
  #conflictOfFirst(earlier: Step, count: number, later: Step, laterCount: number): boolean {
    const { objects, accesses } = earlier;
    const { objects: others, accesses: otherAccesses } = later;
    for (let one = 0; one < count; one++) {
      const object = objects[one];
      for (let other = 0; other < laterCount; other++) {
        if (object !== others[other]) continue;
        if (this.#clash(accesses[one] as number, otherAccesses[other] as number)) return true;
      }
    }
    return false;
  }

  #clash(one: number, other: number): boolean {
    return ((this.#conflicting[one] as number) & (1 << other)) !== 0;
  }
}
