import {
  type Atomic,
  type ExitStatus,
  type Kernel,
  type Machine,
  ObjectKind,
  PointAccess,
  type Process,
  type SignalName,
  type Sleepable,
  type UserThread,
  type WaitQueue,
} from "@nopage/core";
import type {
  Actor,
  ActorState,
  Body,
  OperationName,
  OperationTypes,
  Steps,
  UserOperation,
} from "../program/operation.ts";
import { operationTally } from "../program/operation-tally.ts";

/** Longer than any sleep of a program, in virtual nanoseconds: when it is over, whoever has not ended is blocked. */
const SETTLING_NS = 1_000_000_000;

/** A thread or a process on the model. */
class ModelActor implements Actor {
  readonly name: string;
  readonly thread: UserThread;
  /** The process, where the actor is one. */
  readonly process: Process | undefined;
  readonly #life: Life;

  constructor(name: string, thread: UserThread, process: Process | undefined, life: Life) {
    this.name = name;
    this.thread = thread;
    this.process = process;
    this.#life = life;
  }

  /** Whoever waits for its end. */
  get ended(): WaitQueue {
    return this.#life.ended;
  }

  /** Whether its body is over. */
  get hasEnded(): boolean {
    this.#life.note(PointAccess.read);
    return this.#life.hasEnded;
  }
}

/** What a thread tells of its end. */
class Life {
  readonly ended: WaitQueue;
  hasEnded = false;
  readonly #sched: Machine["sched"];
  /** The identity of `hasEnded` for the scheduler. */
  readonly #cell: number;

  constructor({ sched }: Machine, { sync }: Kernel, name: string) {
    this.ended = sync.waitQueue(`the end of ${name}`);
    this.#sched = sched;
    this.#cell = sched.nextObject();
  }

  /** Notes that the step under way looks whether it is over, or ends it. */
  note(access: PointAccess): void {
    this.#sched.note(ObjectKind.cell, this.#cell, access);
  }
}

type Perform<K extends OperationName> = (
  executor: ModelExecutor,
  thread: UserThread,
  request: OperationTypes[K]["request"],
) => Sleepable<OperationTypes[K]["answer"]>;

/** Executes user programs on the model: every operation is a call of the thread that yielded it. */
export class ModelExecutor {
  readonly machine: Machine;
  readonly kernel: Kernel;
  readonly #taken = new Map<Process, Map<SignalName, number>>();
  readonly #actors: ModelActor[] = [];
  /** The identity, for the scheduler, of how many signals were counted. */
  readonly takenCell: number;

  constructor(machine: Machine, kernel: Kernel) {
    this.machine = machine;
    this.takenCell = machine.sched.nextObject();
    this.kernel = kernel;
  }

  /**
   * Runs a program in a thread, to its end.
   *
   * @throws Error for a program that has made operations and has not performed them
   */
  *execute<T>(thread: UserThread, steps: Steps<T>): Sleepable<T> {
    const { sched } = this.machine;
    let answer: unknown;
    const untaken: string[] = [];
    for (;;) {
      operationTally.clear();
      const step = steps.next(answer);
      operationTally.addTo(untaken);
      if (step.done === true) {
        if (untaken.length > 0) throw new Error(forgottenStar(untaken));
        return step.value;
      }
      sched.pass();
      answer = yield* this.#perform(thread, step.value);
    }
  }

  /** Starts what a program asked for and makes it known as an actor. */
  *start(body: Body, name: string, launch: Launch): Sleepable<Actor | number> {
    const life = new Life(this.machine, this.kernel, name);
    const launched = yield* launch((thread) => this.#live(thread, body, life));
    if (typeof launched === "number") return launched;
    const { thread, process } = launched;
    const actor = new ModelActor(name, thread, process, life);
    this.#actors.push(actor);
    return actor;
  }

  /** Runs the body of an actor, and tells of its end. */
  *#live(thread: UserThread, body: Body, life: Life): Sleepable<void> {
    try {
      yield* this.execute(thread, body());
    } finally {
      life.hasEnded = true;
      life.note(PointAccess.write);
      yield* life.ended.wakeAll();
    }
  }

  /** The model's side of an actor that a program holds. */
  actor(handle: Actor): ModelActor {
    const actor = this.#actors.find((known) => known === handle);
    if (actor === undefined) throw new Error(`${handle.name} is no actor of this run`);
    return actor;
  }

  /** Counts a signal from now on. */
  count(process: Process, signal: Exclude<SignalName, "SIGKILL">): void {
    const counts = this.#taken.get(process) ?? new Map<SignalName, number>();
    this.note(this.takenCell, PointAccess.write);
    this.#taken.set(process, counts);
    counts.set(signal, 0);
    process.handle(signal, () => {
      this.note(this.takenCell, PointAccess.countUp);
      counts.set(signal, (counts.get(signal) ?? 0) + 1);
    });
  }

  /** A step of its own for an operation that is a plain function of the core. */
  *announce(kind: ObjectKind, index: number, access: PointAccess): Atomic<void> {
    const { sched } = this.machine;
    if (sched.interleaving) yield sched.at(kind, index, access);
  }

  /** Notes that the step under way touches what the executor itself keeps. */
  note(cell: number, access: PointAccess): void {
    this.machine.sched.note(ObjectKind.cell, cell, access);
  }

  /** How often a counted signal was taken. */
  taken(process: Process, signal: SignalName): number {
    this.note(this.takenCell, PointAccess.read);
    return this.#taken.get(process)?.get(signal) ?? 0;
  }

  #perform(thread: UserThread, { call, request }: UserOperation): Sleepable<unknown> {
    const perform = operations[call] as Perform<OperationName> | undefined;
    if (perform === undefined) throw new Error(`there is no operation ${JSON.stringify(call)}`);
    return perform(this, thread, request);
  }
}

function forgottenStar(untaken: readonly string[]): string {
  return `made ${untaken.join(" and ")} and did not perform it: expected yield* (with its star) before each operation`;
}

type Program = (thread: UserThread) => Sleepable<void>;

type Launch = (
  program: Program,
) => Sleepable<{ readonly thread: UserThread; readonly process: Process | undefined } | number>;

function* nothing(): Sleepable<undefined> {
  return undefined;
}

function* answerOf<T>(value: T): Sleepable<T> {
  return value;
}

/** What each operation is on the model. */
const operations: { readonly [K in OperationName]: Perform<K> } = {
  open: (_executor, thread, request) => thread.open(request),
  close: (_executor, thread, { descriptor }) => thread.close(descriptor),
  read: (_executor, thread, { descriptor, buffer, bytes }) => thread.read(descriptor, buffer, bytes),
  write: (_executor, thread, { descriptor, buffer, bytes }) => thread.write(descriptor, buffer, bytes),
  ioctl: (_executor, thread, { descriptor, command, argument }) =>
    thread.ioctl(descriptor, command, argument),
  memfd: (_executor, thread, { name }) => thread.memfdCreate(name),
  ftruncate: (_executor, thread, { descriptor, bytes }) => thread.ftruncate(descriptor, bytes),

  mmap: (_executor, thread, request) => thread.mmap(request),
  munmap: (_executor, thread, { address, length }) => thread.munmap(address, length),
  mremap: (_executor, thread, request) => thread.mremap(request),
  mprotect: (_executor, thread, { address, length, protection }) =>
    thread.mprotect(address, length, protection),
  madvise: (_executor, thread, { address, length, advice }) => thread.madvise(address, length, advice),
  mlock: (_executor, thread, { address, length }) => thread.mlock(address, length),
  munlock: (_executor, thread, { address, length }) => thread.munlock(address, length),
  msync: (_executor, thread, { address, length, ...request }) => thread.msync(address, length, request),
  mincore: (_executor, thread, { address, length }) => thread.mincore(address, length),
  load: (_executor, thread, { address, width }) => thread.load(address, width),
  store: (_executor, thread, { address, width, value }) => thread.store(address, value, width),
  load64: (_executor, thread, { address }) => thread.load64(address),
  store64: (_executor, thread, { address, value }) => thread.store64(address, value),

  smaps: (_executor, thread) => thread.proc().smaps(),
  *memoryStatus(executor, thread) {
    yield* executor.announce(ObjectKind.cell, thread.mm.rssCell, PointAccess.read);
    return thread.proc().status();
  },
  faults: (_executor, thread) => answerOf({ minor: thread.minorFaults, major: thread.majorFaults }),
  *pagemap(_executor, thread, { address, pages }) {
    const frames = yield* thread.proc().pagemap(address, pages);
    return frames.map((frame) => frame !== undefined);
  },
  readProcMem: (_executor, thread, { address, bytes }) => thread.proc().readMemory(address, bytes),
  writeProcMem: (_executor, thread, { address, from }) => thread.proc().writeMemory(address, from),
  *processVmRead(_executor, thread, { address, bytes }) {
    const to = new Uint8Array(bytes);
    const moved = yield* thread.processVmReadv(thread.process, address, to);
    return moved < 0 ? moved : to.subarray(0, moved);
  },

  *thread(executor, thread, { body, name }) {
    const actor = yield* executor.start(body, name, (program) => {
      const started = thread.spawn(program, name);
      return answerOf(typeof started === "number" ? started : { thread: started, process: undefined });
    });
    if (typeof actor === "number") throw new Error(`a thread could not be started: ${actor}`);
    return actor;
  },
  fork: (executor, thread, { body, name }) =>
    executor.start(body, name, (program) => forked(thread, program, name)),
  *process(executor, _thread, { body, name }) {
    const actor = yield* executor.start(body, name, (program) => {
      const process = executor.machine.spawn(name, program);
      return answerOf({ thread: firstThread(process), process });
    });
    if (typeof actor === "number") throw new Error("a process cannot fail to start");
    return actor;
  },
  *join(executor, _thread, { actor }): Sleepable<ExitStatus> {
    const joined = executor.actor(actor);
    const { process } = joined;
    if (process === undefined) {
      yield* joined.ended.waitUntil(() => joined.hasEnded, "killable");
      return joined.thread.process.exit ?? { status: 0 };
    }
    yield* process.waitForEnd();
    return process.exit ?? { status: 0 };
  },
  *stateOf(executor, _thread, { actor }): Sleepable<ActorState> {
    const asked = executor.actor(actor);
    const { thread, process } = asked;
    if (process === undefined ? asked.hasEnded || !thread.isAlive : process.isGone) return "ended";
    return thread.task.state === "sleeping" ? "blocked" : "running";
  },
  *settle(_executor, thread) {
    yield* thread.nanosleep(SETTLING_NS);
    return undefined;
  },
  *kill(executor, _thread, { actor, signal }) {
    const { process, thread } = executor.actor(actor);
    yield* executor.announce(ObjectKind.signal, thread.task.id, PointAccess.write);
    if (process !== undefined) process.kill(signal);
    else thread.receive(signal);
    return undefined;
  },
  countSignal(executor, thread, { signal }) {
    executor.count(thread.process, signal);
    return nothing();
  },
  *signalsTaken(executor, thread, { signal }) {
    yield* executor.announce(ObjectKind.cell, executor.takenCell, PointAccess.read);
    return executor.taken(thread.process, signal);
  },
  *exit(executor, thread, { status }) {
    yield* executor.announce(ObjectKind.signal, thread.task.id, PointAccess.write);
    return thread.exit(status);
  },
  sleep: (_executor, thread, { duration }) => thread.nanosleep(duration),

  *deleteModule(executor, _thread, { name }) {
    const module = executor.machine.devices.modules.find((loaded) => loaded.name === name && loaded.isLoaded);
    if (module === undefined) throw new Error(`there is no module ${name}`);
    const refused = module.beginUnload();
    if (refused !== 0) return refused;
    executor.machine.devices.unregisterAllOf(module);
    module.finishUnload();
    return 0;
  },

  guest(_executor, _thread, { words }) {
    throw new Error(`only a guest of the Linux lab knows ${JSON.stringify(words)}`);
  },
  kernel: (executor, thread, { body }) =>
    body({ machine: executor.machine, kernel: executor.kernel, thread }),
};

function* forked(
  thread: UserThread,
  program: Program,
  name: string,
): Sleepable<{ readonly thread: UserThread; readonly process: Process } | number> {
  const process = yield* thread.fork(program, name);
  return typeof process === "number" ? process : { thread: firstThread(process), process };
}

function firstThread(process: Process): UserThread {
  const [thread] = process.threads;
  if (thread === undefined) throw new Error(`process ${process.name} has no thread`);
  return thread;
}
