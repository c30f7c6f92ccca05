import type { Sleepable } from "../contract/execution.ts";
import { type SignalName, signalNumbers } from "../contract/signals.ts";
import type { File } from "../device/file.ts";
import type { Machine } from "../machine.ts";
import type { Mm } from "../mm/mm.ts";
import { Access, ObjectKind } from "../sched/points.ts";
import { WaitQueue } from "../sched/wait-queue.ts";
import { FileTable } from "./file-table.ts";
import { UserThread } from "./user-thread.ts";

/** What a thread runs: it calls the kernel through its thread and touches memory through it. */
export type Program = (thread: UserThread) => Sleepable<unknown>;

/** How a process ended: with a status of its own, or by a signal. */
export type ExitStatus = { readonly status: number } | { readonly signal: SignalName };

/** What a thread is started with. */
export interface ThreadOptions {
  readonly name?: string | undefined;
  /** Left out: the CPUs in turn. */
  readonly cpu?: number;
  /** What an unhandled SIGBUS or SIGSEGV does: the access answers with the trap, or the process dies (the default action). */
  readonly onTrap?: "answer" | "die";
}

/** A process: an address space, open files, and threads (`struct task_struct` group). */
export class Process {
  readonly machine: Machine;
  readonly pid: number;
  readonly name: string;
  readonly mm: Mm;
  readonly threads: UserThread[] = [];
  #exit: ExitStatus | undefined = undefined;
  /** Its open files, by descriptor. */
  #files: FileTable;
  readonly #handlers = new Map<SignalName, () => void>();
  readonly #ended: WaitQueue;
  #liveThreads = 0;
  /** The identity of `#liveThreads` for the scheduler. */
  readonly #threadsCell: number;
  /** The identity of how it ended, whether it is gone and what it does at signals, for the scheduler. */
  readonly #stateCell: number;
  #isGone = false;

  constructor(machine: Machine, name: string, mm: Mm) {
    this.machine = machine;
    this.pid = machine.nextPid++;
    this.name = name;
    this.mm = mm;
    this.#files = new FileTable(machine);
    this.#threadsCell = machine.sched.nextObject();
    this.#stateCell = machine.sched.nextObject();
    this.#ended = new WaitQueue(machine.sched, `the end of process ${name}`);
  }

  /** Whether address space and files are gone. */
  get isGone(): boolean {
    this.#note(Access.read);
    return this.#isGone;
  }

  /** How it ended, or is about to; undefined as long as nothing has ended it. */
  get exit(): ExitStatus | undefined {
    this.#note(Access.read);
    return this.#exit;
  }

  /** Starts a thread; the first one makes the process live. */
  start(program: Program, options: ThreadOptions = {}): UserThread {
    const { machine } = this;
    const cpu = options.cpu ?? machine.cpuInTurn();
    const name = options.name ?? `${this.name}/${this.threads.length}`;
    const thread = new UserThread(this, { name, cpu, onTrap: options.onTrap ?? "answer" });
    this.threads.push(thread);
    this.#liveThreads++;
    this.machine.sched.note(ObjectKind.cell, this.#threadsCell, Access.countUp);
    thread.run(program);
    return thread;
  }

  /** Its open files. */
  get files(): FileTable {
    return this.#files;
  }

  /** The open file behind a descriptor; undefined when there is none. */
  file(descriptor: number): File | undefined {
    return this.#files.get(descriptor);
  }

  /** Gives an open file the lowest free descriptor. */
  install(file: File): number {
    return this.#files.install(file);
  }

  /** Closes a descriptor: 0 or -EBADF. The file lives on while something else holds it. */
  *close(descriptor: number): Sleepable<number> {
    return yield* this.#files.close(descriptor);
  }

  /** This process's open files once more, for a child that does not exist yet; whoever asks closes them or hands them on. */
  duplicateFiles(): FileTable {
    return this.#files.duplicate();
  }

  /** Gives a process that has no open files yet those of its parent. */
  takeFiles(files: FileTable): void {
    this.#files = files;
  }

  /** What the process does at a signal; undefined when that ends it. */
  handler(signal: SignalName): (() => void) | undefined {
    this.#note(Access.read);
    return this.#handlers.get(signal);
  }

  /** Sets what the process does at a signal, in whichever of its threads that comes. */
  handle(signal: Exclude<SignalName, "SIGKILL">, handler: () => void): void {
    this.#note(Access.write);
    this.#handlers.set(signal, handler);
  }

  /** Gives a child the same handlers. */
  copyHandlersTo(child: Process): void {
    this.#note(Access.read);
    for (const [signal, handler] of this.#handlers) child.#handlers.set(signal, handler);
  }

  /**
   * Sends a signal to the process (`kill(2)`): its first thread handles it, or all of them end. SIGKILL cannot be handled.
   */
  kill(signal: SignalName): void {
    this.machine.log.record("signal", this.pid, signalNumbers[signal]);
    this.machine.sched.note(ObjectKind.cell, this.#threadsCell, Access.read);
    if (this.handler(signal) !== undefined) this.threads.find((thread) => thread.isAlive)?.receive(signal);
    else this.endAll({ signal });
  }

  /** Ends every thread, and the process with `status` if nothing has ended it yet (`do_group_exit`). */
  endAll(status: ExitStatus): void {
    this.#endWith(status);
    this.machine.sched.note(ObjectKind.cell, this.#threadsCell, Access.read);
    for (const thread of this.threads) thread.receive("SIGKILL");
  }

  /** A thread has ended; the last one takes the process down: the address space first, then the files. */
  *threadEnded(): Sleepable<void> {
    const { sched } = this.machine;
    if (sched.interleaving) yield sched.at(ObjectKind.cell, this.#threadsCell, Access.countDown);
    if (--this.#liveThreads > 0) return;
    yield* this.machine.dropMm(this.mm);
    yield* this.#files.closeAll();
    const exit = this.#endWith({ status: 0 });
    this.#isGone = true;
    this.#note(Access.write);
    this.machine.log.record("exit", this.pid, this.mm.id, "status" in exit ? exit.status : -1);
    yield* this.#ended.wakeAll();
  }

  /** Sleeps until the process is gone, or a signal comes (`waitpid(2)`): 0 or -ERESTARTSYS. */
  *waitForEnd(): Sleepable<number> {
    return yield* this.#ended.waitUntil(() => this.isGone, "interruptible");
  }

  /** The status that it ends with: this one, unless something has ended it before. */
  #endWith(status: ExitStatus): ExitStatus {
    this.#note(this.#exit === undefined ? Access.write : Access.read);
    this.#exit ??= status;
    return this.#exit;
  }

  #note(access: Access): void {
    this.machine.sched.note(ObjectKind.cell, this.#stateCell, access);
  }
}
