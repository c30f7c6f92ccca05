import type { MayInterleave, Point, Sleep } from "../contract/execution.ts";
import type { Call } from "../sanitize/operation.ts";
import type { Clock, Ordering } from "../sanitize/vector-clocks.ts";
import { type Access, ObjectKind, objectId } from "./points.ts";

/**
 * Who runs: a user thread, a kernel thread, a hard interrupt handler, or a device's own engine. Hardware runs on no
 * CPU; a daemon is a kernel thread or hardware that may still wait for work when a run ends.
 */
export type TaskKind = "user" | "kernel" | "irq" | "hardware";

/** How a sleep may end early (`TASK_UNINTERRUPTIBLE`, `TASK_KILLABLE`, `TASK_INTERRUPTIBLE`). */
export type WaitMode = "uninterruptible" | "killable" | "interruptible";

/**
 * Announces a step whose objects depend on what it finds, as a compare-and-swap that fails is a read. It is asked before
 * each choice, so what it says is true of the step that follows: it reads what it likes, and changes nothing.
 */
export interface Announcer {
  announce(): void;
}

export type TaskState = "ready" | "sleeping" | "done";

/** Something that a task needs to have to itself before it can go on. */
export interface Lockable {
  readonly name: string;
  /** Whether `task` could take it now in the way it asked for. */
  canTake(task: Task): boolean;
  /** Who holds it at present, for reports. */
  holders(): readonly Task[];
}

class Readers implements Ordering {
  released: Clock | undefined = undefined;
}

/**
 * A lock as those see it who compare locks of all kinds. Every lock owns one instead of being one, so that the code
 * that runs at each taking and giving back meets objects of one shape only.
 */
export class LockIdentity implements Ordering {
  readonly name: string;
  /** Tells the locks of one class apart. */
  readonly order: number;
  /** The number of its class: locks of one name are of one class. */
  readonly lockClass: number;
  /** The bit of the class in `HeldLock.classes`. */
  readonly classBit: number;
  released: Clock | undefined = undefined;
  /** Its readers, where somebody keeps account of who comes after whom: they are in no order among themselves. */
  readonly readers = new Readers();

  constructor(name: string, order: number, lockClass: number, classBit: number) {
    this.name = name;
    this.order = order;
    this.lockClass = lockClass;
    this.classBit = classBit;
  }
}

/** What a new task is. */
export interface TaskOptions {
  readonly name: string;
  readonly kind: TaskKind;
  /** The CPU it runs on; -1 for hardware. */
  readonly cpu: number;
  /** A daemon may be left waiting when the run ends. */
  readonly daemon?: "daemon" | "required";
}

/**
 * One place in the stack of locks that a task holds. The places are linked and stay when a lock is given back, to be
 * used again: each fault takes two locks, and this is cheaper than an array that grows and shrinks.
 */
export class HeldLock {
  /** The lock in this place; undefined at the bottom, below all locks. */
  lock: LockIdentity | undefined = undefined;
  /** The classes of the locks here and below, as bits; see `LockOrder`. */
  classes = 0;
  /** The lock that was last found in order to be taken above this one. */
  checkedAbove: LockIdentity | undefined = undefined;
  readonly below: HeldLock | undefined;
  private next: HeldLock | undefined = undefined;

  constructor(below: HeldLock | undefined) {
    this.below = below;
  }

  /** The place on top of this one, with `lock` in it. */
  hold(lock: LockIdentity): HeldLock {
    const place = this.next;
    return place !== undefined && place.lock === lock ? place : this.put(lock);
  }

  private put(lock: LockIdentity): HeldLock {
    this.next ??= new HeldLock(this);
    const place = this.next;
    place.lock = lock;
    place.classes = this.classes | lock.classBit;
    place.checkedAbove = undefined;
    // What stands above it belonged to another lock: its classes are to be worked out anew.
    if (place.next !== undefined) place.next.lock = undefined;
    return place;
  }
}

/** One thread of execution (`struct task_struct`'s scheduling half). */
export class Task {
  readonly id: number;
  readonly name: string;
  readonly kind: TaskKind;
  readonly cpu: number;
  readonly isDaemon: boolean;
  readonly body: Generator<Point | Sleep, unknown, void>;

  state: TaskState = "ready";
  /** What the task is about to do: the object's identity and the access. */
  announcedObject: number;
  announcedAccess: Access | 0 = 0;
  /** Its last step gave up the CPU, so others come first. */
  gaveWay = false;
  /** Further objects that the same step touches: a load through a TLB touches the TLB and the frame at once. */
  readonly alsoObjects: number[] = [];
  /** How it touches each of `alsoObjects`. */
  readonly alsoAccesses: Access[] = [];
  /** Says anew before each choice what the next step touches, where that depends on the state it meets. */
  announcer: Announcer | undefined = undefined;
  /** The lock it needs before it can go on. */
  blockedOn: Lockable | undefined = undefined;
  /** Whether it asked for that lock together with others. */
  wantsShared = false;
  /** What it sleeps on, in words, for reports. */
  sleepsOn = "";
  /** What it sleeps for, while it sleeps on a wait queue: a deadlock in which this holds is a lost wake-up. */
  sleepsFor: (() => MayInterleave<boolean>) | undefined = undefined;
  /** The calls that it is inside of, innermost first; kept on a machine with all sanitizers. */
  calls: Call | undefined = undefined;
  /** Virtual time at which it wakes by itself; `Infinity` for never. */
  wakeAt = Number.POSITIVE_INFINITY;
  waitMode: WaitMode = "uninterruptible";
  /** Spinlocks held: above 0 the task can neither sleep nor be preempted. */
  spinDepth = 0;
  /** RCU read sections entered. */
  rcuDepth = 0;
  /** Interrupts are off on this task's CPU. */
  irqsOff = 0;
  /** Page-table and TLB operations since the outermost spinlock was taken. */
  atomicSteps = 0;
  /** For an interrupt handler or lock holder: the task whose CPU it took over. */
  interrupted: Task | undefined = undefined;
  /** The lock that was taken last, on top of the others. */
  innermost = new HeldLock(undefined);
  /** A signal waits for delivery; a fatal one cannot be handled. */
  signal: "none" | "pending" | "fatal" = "none";
  /** Whose thread this is: the user thread or device behind it, for those who spawned it. */
  owner: object | undefined = undefined;
  /** What the body threw, if it ended that way. */
  failure: unknown = undefined;
  /** What the body returned. */
  result: unknown = undefined;

  constructor(id: number, options: TaskOptions, body: Generator<Point | Sleep, unknown, void>) {
    this.id = id;
    this.name = options.name;
    this.kind = options.kind;
    this.cpu = options.cpu;
    this.isDaemon = options.daemon === "daemon";
    this.body = body;
    this.announcedObject = objectId(ObjectKind.task, id);
  }

  /** Locks held, in the order of taking. */
  get held(): readonly LockIdentity[] {
    const locks: LockIdentity[] = [];
    for (let place = this.innermost; place.below !== undefined; place = place.below) {
      if (place.lock !== undefined) locks.push(place.lock);
    }
    return locks.reverse();
  }

  /** Whether it holds any lock. */
  get holdsLocks(): boolean {
    return this.innermost.below !== undefined;
  }

  /** The first of the further objects, or -1 when the step touches one object only. */
  get alsoObject(): number {
    return this.alsoObjects[0] ?? -1;
  }

  /** How it touches `alsoObject`; 0 when there is none. */
  get alsoAccess(): Access | 0 {
    return this.alsoAccesses[0] ?? 0;
  }

  /** Whether a signal would end a sleep of `mode`. */
  isInterrupted(mode: WaitMode): boolean {
    if (mode === "uninterruptible") return false;
    return mode === "killable" ? this.signal === "fatal" : this.signal !== "none";
  }
}
