/** What a plain step does to its object. */
export const PlainAccess = { read: 1, write: 2, add: 3, lock: 5, unlock: 7 } as const;

/** One step of a plain thread, announced before it is taken. */
export interface PlainPoint {
  /** The object it touches, as the only element. */
  readonly objects: readonly number[];
  /** How it touches the object, as the only element; where that depends on what it finds, as if it found nothing to change. */
  readonly accesses: readonly number[];
  /** How it touches the object now; `accesses` where it is left out. */
  readonly accessesNow: (() => readonly number[]) | undefined;
  /** Whether it can be taken now; always, where it is left out. */
  readonly isPossible: (() => boolean) | undefined;
}

/** What a thread of a plain program is: it yields at every step that others can see. */
export type PlainThread = Generator<PlainPoint, void, void>;

const READ = [PlainAccess.read];
const WRITE = [PlainAccess.write];
const ADD = [PlainAccess.add];
const LOCK = [PlainAccess.lock];

/** Counts steps that were made against those that were begun: whoever forgets the star of `yield*` makes some and takes none. */
export class StepTally {
  /** Steps that were made and not begun. */
  untaken = 0;

  /** @throws TypeError when so many were made in vain that whoever makes them goes round without an end */
  make(): void {
    if (++this.untaken > MOST_UNTAKEN)
      throw new TypeError(`${MOST_UNTAKEN} steps were made and not taken: ${STAR}`);
  }
}

/** More than any program keeps for later. */
const MOST_UNTAKEN = 10_000;

export const STAR = "expected yield* (with its star) before each step";

/** The steps that every object of one number has in every run, so that they are made once. */
export class PlainPoints {
  readonly tally: StepTally;
  readonly objects: readonly number[];
  readonly read: PlainPoint;
  readonly write: PlainPoint;
  readonly add: PlainPoint;

  constructor(object: number, tally: StepTally) {
    this.tally = tally;
    this.objects = [object];
    this.read = pointOf(this.objects, READ);
    this.write = pointOf(this.objects, WRITE);
    this.add = pointOf(this.objects, ADD);
  }
}

function pointOf(
  objects: readonly number[],
  accesses: readonly number[],
  accessesNow?: () => readonly number[],
  isPossible?: () => boolean,
): PlainPoint {
  return { objects, accesses, accessesNow, isPossible };
}

/** A shared variable. All that touches it is one step. */
export class SharedVariable<T> {
  /** What it holds, for the program's own judgement at the end: no step. */
  value: T;
  readonly #points: PlainPoints;

  constructor(points: PlainPoints, initial: T) {
    this.value = initial;
    this.#points = points;
  }

  read(): Generator<PlainPoint, T, void> {
    this.#points.tally.make();
    return this.#read();
  }

  write(value: T): Generator<PlainPoint, void, void> {
    this.#points.tally.make();
    return this.#write(value);
  }

  /** Changes it in one step that nothing can come in between: what was there before. */
  update(change: (value: T) => T): Generator<PlainPoint, T, void> {
    this.#points.tally.make();
    return this.#update(change);
  }

  /** Stores `next` if it holds `expected`: whether it did. One that fails is a read. */
  compareAndSwap(expected: T, next: T): Generator<PlainPoint, boolean, void> {
    this.#points.tally.make();
    return this.#compareAndSwap(expected, next);
  }

  *#read(): Generator<PlainPoint, T, void> {
    this.#points.tally.untaken--;
    yield this.#points.read;
    return this.value;
  }

  *#write(value: T): Generator<PlainPoint, void, void> {
    this.#points.tally.untaken--;
    yield this.#points.write;
    this.value = value;
  }

  *#update(change: (value: T) => T): Generator<PlainPoint, T, void> {
    this.#points.tally.untaken--;
    yield this.#points.write;
    const before = this.value;
    this.value = change(before);
    return before;
  }

  *#compareAndSwap(expected: T, next: T): Generator<PlainPoint, boolean, void> {
    this.#points.tally.untaken--;
    yield pointOf(this.#points.objects, READ, () => (this.value === expected ? WRITE : READ));
    if (this.value !== expected) return false;
    this.value = next;
    return true;
  }
}

/** A counter whose increments commute: nobody sees what they find. */
export class SharedCounter {
  value = 0;
  readonly #points: PlainPoints;

  constructor(points: PlainPoints) {
    this.#points = points;
  }

  read(): Generator<PlainPoint, number, void> {
    this.#points.tally.make();
    return this.#read();
  }

  add(amount: number): Generator<PlainPoint, void, void> {
    this.#points.tally.make();
    return this.#add(amount);
  }

  *#read(): Generator<PlainPoint, number, void> {
    this.#points.tally.untaken--;
    yield this.#points.read;
    return this.value;
  }

  *#add(amount: number): Generator<PlainPoint, void, void> {
    this.#points.tally.untaken--;
    yield this.#points.add;
    this.value += amount;
  }
}

/** A lock. Taking it is a step; giving it back is part of the step before. */
export class PlainLock {
  isHeld = false;
  readonly #point: PlainPoint;
  readonly #touched: (object: number, access: number) => void;
  readonly #tally: StepTally;

  /** @param touched is told how the step under way touches the lock besides what it announced */
  constructor({ objects, tally }: PlainPoints, touched: (object: number, access: number) => void) {
    this.#tally = tally;
    this.#touched = touched;
    this.#point = pointOf(objects, LOCK, undefined, () => !this.isHeld);
  }

  lock(): Generator<PlainPoint, void, void> {
    this.#tally.make();
    return this.#lock();
  }

  /** @throws Error when it is not held */
  unlock(): void {
    const [object] = this.#point.objects as [number];
    this.#touched(object, this.isHeld ? PlainAccess.unlock : PlainAccess.read);
    if (!this.isHeld) throw new Error("a lock is given back that nobody holds");
    this.isHeld = false;
  }

  *#lock(): Generator<PlainPoint, void, void> {
    this.#tally.untaken--;
    yield this.#point;
    this.isHeld = true;
  }
}

/** What a plain program is built from, anew for every run. */
export interface PlainBuilder {
  variable<T>(initial: T): SharedVariable<T>;
  counter(): SharedCounter;
  lock(): PlainLock;
  thread(body: () => PlainThread): void;
}

/**
 * A small concurrent program: it makes its variables, locks and threads, and answers with a function that says what the
 * final state was, or throws when it is wrong. A state is plain data: primitive values but symbols, and arrays, plain objects, maps, sets,
 * dates, errors and typed arrays of them, told apart by what they hold. Nothing but the variables may be shared between runs or threads.
 */
export type PlainProgram = (builder: PlainBuilder) => () => unknown;
