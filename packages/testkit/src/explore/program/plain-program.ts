/** What a plain step does to its object. */
export const PlainAccess = { read: 1, write: 2, add: 3, lock: 5, unlock: 7 } as const;

/** One step of a plain thread, announced before it is taken. */
export interface PlainPoint {
  readonly object: number;
  /** How it touches the object; a function where that depends on what it finds. */
  readonly access: number | (() => number);
  /** Whether it can be taken now; always, when left out. */
  readonly isPossible?: () => boolean;
}

/** What a thread of a plain program is: it yields at every step that others can see. */
export type PlainThread = Generator<PlainPoint, void, void>;

/** A shared variable. All that touches it is one step. */
export class SharedVariable<T> {
  /** What it holds, for the program's own judgement at the end: no step. */
  value: T;
  readonly #readPoint: PlainPoint;
  readonly #writePoint: PlainPoint;
  readonly #object: number;

  constructor(object: number, initial: T) {
    this.value = initial;
    this.#object = object;
    this.#readPoint = { object, access: PlainAccess.read };
    this.#writePoint = { object, access: PlainAccess.write };
  }

  *read(): Generator<PlainPoint, T, void> {
    yield this.#readPoint;
    return this.value;
  }

  *write(value: T): Generator<PlainPoint, void, void> {
    yield this.#writePoint;
    this.value = value;
  }

  /** Changes it in one step that nothing can come in between: what was there before. */
  *update(change: (value: T) => T): Generator<PlainPoint, T, void> {
    yield this.#writePoint;
    const before = this.value;
    this.value = change(before);
    return before;
  }

  /** Stores `next` if it holds `expected`: whether it did. One that fails is a read. */
  *compareAndSwap(expected: T, next: T): Generator<PlainPoint, boolean, void> {
    yield {
      object: this.#object,
      access: () => (this.value === expected ? PlainAccess.write : PlainAccess.read),
    };
    if (this.value !== expected) return false;
    this.value = next;
    return true;
  }
}

/** A counter whose increments commute: nobody sees what they find. */
export class SharedCounter {
  value = 0;
  readonly #readPoint: PlainPoint;
  readonly #addPoint: PlainPoint;

  constructor(object: number) {
    this.#readPoint = { object, access: PlainAccess.read };
    this.#addPoint = { object, access: PlainAccess.add };
  }

  *read(): Generator<PlainPoint, number, void> {
    yield this.#readPoint;
    return this.value;
  }

  *add(amount: number): Generator<PlainPoint, void, void> {
    yield this.#addPoint;
    this.value += amount;
  }
}

/** A lock. Taking it is a step; giving it back is part of the step before. */
export class PlainLock {
  isHeld = false;
  readonly #point: PlainPoint;
  readonly #object: number;
  readonly #givenBack: number[];

  /** @param givenBack where the lock notes that the step under way gives it back */
  constructor(object: number, givenBack: number[]) {
    this.#object = object;
    this.#givenBack = givenBack;
    this.#point = { object, access: PlainAccess.lock, isPossible: () => !this.isHeld };
  }

  *lock(): Generator<PlainPoint, void, void> {
    yield this.#point;
    this.isHeld = true;
  }

  /** @throws Error when it is not held */
  unlock(): void {
    if (!this.isHeld) throw new Error("a lock is given back that nobody holds");
    this.isHeld = false;
    this.#givenBack.push(this.#object);
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
 * final state was, or throws when it is wrong. Nothing but the variables may be shared between runs or threads.
 */
export type PlainProgram = (builder: PlainBuilder) => () => unknown;
