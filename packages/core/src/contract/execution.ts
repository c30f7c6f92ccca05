/**
 * The two colours of kernel code.
 *
 * Kernel code is a generator. What it may yield says where it may be called from: atomic code only announces
 * points, sleepable code may also give up its CPU. `yield*` of a sleepable generator inside an atomic one does not
 * type-check, so sleeping in atomic context does not compile.
 */

/**
 * A place where another CPU may step in, announced before the shared access that follows it. What is about to be
 * touched, and how, lies in the task's announcement: see `Scheduler.at`.
 */
export interface Point {
  readonly step: "point";
}

/** The task gives up its CPU until it is woken, its lock is free, or its time has come (`schedule()` in Linux). */
export interface Sleep {
  readonly step: "sleep";
}

/** Code for atomic context: interrupt handlers, spinlock and RCU read sections. It may not sleep. */
export type Atomic<T> = Generator<Point, T, void>;

/** Code for process context: it may sleep. */
export type Sleepable<T> = Generator<Point | Sleep, T, void>;

/** What a hook that may sleep answers: at once as a plain value, or as a generator of either colour. */
export type MaySleep<T> = T | Atomic<T> | Sleepable<T>;

/** What a hook that runs under a spinlock answers: at once as a plain value, or as an atomic generator. */
export type MayInterleave<T> = T | Atomic<T>;
