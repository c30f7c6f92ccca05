import { EINTR, EINVAL, ENOMEM, ERESTARTSYS, ESRCH } from "../contract/errno.ts";
import type { Sleepable } from "../contract/execution.ts";
import { type Access, isTrap, type SignalName } from "../contract/signals.ts";
import type { UserAddress, VirtualNs } from "../contract/units.ts";
import type { OpenRequest } from "../device/device-registry.ts";
import type { Machine } from "../machine.ts";
import { duplicateMm } from "../mm/fork.ts";
import { type Advice, madvise } from "../mm/madvise.ts";
import { mincore } from "../mm/mincore.ts";
import { mlock } from "../mm/mlock.ts";
import type { Mm } from "../mm/mm.ts";
import { type MmapRequest, mmap } from "../mm/mmap.ts";
import { mprotect } from "../mm/mprotect.ts";
import { type MremapRequest, mremap } from "../mm/mremap.ts";
import { type MsyncRequest, msync } from "../mm/msync.ts";
import { munmap } from "../mm/munmap.ts";
import { accessByPins } from "../mm/remote-access.ts";
import { traced } from "../sanitize/traced.ts";
import { isGenerator } from "../sched/is-generator.ts";
import { ObjectKind, Access as PointAccess } from "../sched/points.ts";
import type { Task } from "../sched/task.ts";
import { WaitQueue } from "../sched/wait-queue.ts";
import { control, createMemoryFile, openFile, transfer, withFile } from "./file-calls.ts";
import type { Width } from "./mmio-window.ts";
import { ProcFiles } from "./proc-files.ts";
import type { Process, Program } from "./process.ts";
import { ThreadExit } from "./thread-exit.ts";
import { UserMemory } from "./user-memory.ts";

/** What a user thread is made with. */
export interface UserThreadShape {
  readonly name: string;
  readonly cpu: number;
  readonly onTrap: "answer" | "die";
}

/** `mmap` by descriptor; without one the memory is anonymous. */
export type MapRequest = MmapRequest & { readonly descriptor?: number };

/** What a program does without the kernel's help; a fault that it leads to is named by itself. */
const accesses: readonly (keyof UserThread)[] = [
  "load",
  "store",
  "load64",
  "store64",
  "loadBlock",
  "storeBlock",
];

/**
 * A thread of a process: its system calls, in the names of their manual pages, and its loads and stores. All of them are
 * generators that a program delegates to with `yield*`. System calls answer with 0 or a value, or a negated errno.
 */
export class UserThread {
  readonly process: Process;
  readonly name: string;
  readonly cpu: number;
  readonly mm: Mm;
  readonly memory: UserMemory;
  minorFaults = 0;
  majorFaults = 0;
  readonly #onTrap: "answer" | "die";
  readonly #pending: SignalName[] = [];
  readonly #sleep: WaitQueue;
  #task: Task | undefined = undefined;
  #kernelAccess: UserMemory | undefined = undefined;

  constructor(process: Process, shape: UserThreadShape) {
    this.process = process;
    this.name = shape.name;
    this.cpu = shape.cpu;
    this.mm = process.mm;
    this.#onTrap = shape.onTrap;
    this.memory = new UserMemory(this, "user");
    this.#sleep = new WaitQueue(process.machine.sched, `a timer of ${shape.name}`);
  }

  get machine(): Machine {
    return this.process.machine;
  }

  /** The same memory as the kernel reaches it for this thread: a trap there is no signal but an error. */
  get kernelAccess(): UserMemory {
    this.#kernelAccess ??= new UserMemory(this, "kernel");
    return this.#kernelAccess;
  }

  /** The task behind it, once it runs. */
  get task(): Task {
    if (this.#task === undefined) throw new Error(`thread ${this.name} was not started`);
    return this.#task;
  }

  /** Whether a signal waits for delivery. */
  get hasSignal(): boolean {
    this.#noteSignals(PointAccess.read);
    return this.task.signal !== "none";
  }

  /** Starts the program; called once, by the process. */
  run(program: Program): void {
    const options = { name: this.name, kind: "user", cpu: this.cpu } as const;
    this.#task = this.machine.sched.spawn(options, this.#main(program));
    this.#task.owner = this;
  }

  // Loads and stores.

  *load(address: number, width: Width = 4): Sleepable<Access<number>> {
    const answer = this.memory.load(address as UserAddress, width);
    // Under interleaving every access comes as a generator.
    if (isGenerator(answer)) return yield* this.#endAccess(yield* answer);
    const isOver = typeof answer === "number" && this.task.signal === "none";
    return isOver ? answer : yield* this.#endAccess(answer);
  }

  *store(address: number, value: number, width: Width = 4): Sleepable<Access<undefined>> {
    const answer = this.memory.store(address as UserAddress, width, value);
    if (isGenerator(answer)) return yield* this.#endAccess(yield* answer);
    const isOver = answer === undefined && this.task.signal === "none";
    return isOver ? answer : yield* this.#endAccess(answer);
  }

  *load64(address: number): Sleepable<Access<bigint>> {
    return yield* this.#endAccess(yield* this.memory.load64(address as UserAddress));
  }

  *store64(address: number, value: bigint): Sleepable<Access<undefined>> {
    return yield* this.#endAccess(yield* this.memory.store64(address as UserAddress, value));
  }

  /** Copies `bytes` bytes out of memory; or the trap that stopped it. */
  *loadBlock(address: number, bytes: number): Sleepable<Access<Uint8Array>> {
    const to = new Uint8Array(bytes);
    const { trap } = yield* this.memory.loadBlock(address as UserAddress, to);
    return yield* this.#endAccess(trap ?? to);
  }

  /** Copies bytes into memory; or the trap that stopped it. */
  *storeBlock(address: number, from: Uint8Array): Sleepable<Access<undefined>> {
    const { trap } = yield* this.memory.storeBlock(address as UserAddress, from);
    return yield* this.#endAccess(trap);
  }

  // Files.

  /** `open(2)`: a descriptor, or a negated errno. */
  *open(request: OpenRequest): Sleepable<number> {
    return yield* this.#endCall(openFile(this.process, request));
  }

  *close(descriptor: number): Sleepable<number> {
    return yield* this.#endCall(this.process.close(descriptor));
  }

  /** `read(2)`: the bytes read, or a negated errno. */
  *read(descriptor: number, buffer: number, length: number): Sleepable<number> {
    return yield* this.#endCall(transfer(this.process, "read", descriptor, buffer, length));
  }

  /** `write(2)`: the bytes written, or a negated errno. */
  *write(descriptor: number, buffer: number, length: number): Sleepable<number> {
    return yield* this.#endCall(transfer(this.process, "write", descriptor, buffer, length));
  }

  *ioctl(descriptor: number, command: number, argument = 0): Sleepable<number> {
    return yield* this.#endCall(control(this.process, descriptor, command, argument));
  }

  /** `ftruncate(2)` on a memory file, in bytes. */
  *ftruncate(descriptor: number, bytes: number): Sleepable<number> {
    const { sharedMemory } = this.machine;
    return yield* this.#endCall(
      withFile(this.process, descriptor, (file) => sharedMemory.truncate(file, bytes)),
    );
  }

  /** `memfd_create(2)`: a descriptor of a new, empty memory file. */
  *memfdCreate(name: string): Sleepable<number> {
    return yield* createMemoryFile(this.process, name);
  }

  // Memory.

  *mmap(request: MapRequest): Sleepable<number> {
    return yield* this.#endCall(this.#map(request));
  }

  *munmap(address: number, length: number): Sleepable<number> {
    return yield* this.#endCall(munmap(this.mm, address, length));
  }

  *mremap(request: MremapRequest): Sleepable<number> {
    return yield* this.#endCall(mremap(this.mm, request));
  }

  *mprotect(address: number, length: number, protection: number): Sleepable<number> {
    return yield* this.#endCall(mprotect(this.mm, address, length, protection));
  }

  *madvise(address: number, length: number, advice: Advice): Sleepable<number> {
    return yield* this.#endCall(madvise(this.mm, address, length, advice));
  }

  *mlock(address: number, length: number): Sleepable<number> {
    return yield* this.#endCall(mlock(this.mm, address, length, "lock"));
  }

  *munlock(address: number, length: number): Sleepable<number> {
    return yield* this.#endCall(mlock(this.mm, address, length, "unlock"));
  }

  *msync(address: number, length: number, request: MsyncRequest = {}): Sleepable<number> {
    return yield* this.#endCall(msync(this.mm, address, length, request));
  }

  *mincore(address: number, length: number): Sleepable<readonly boolean[] | number> {
    return yield* mincore(this.mm, address, length);
  }

  /** `process_vm_readv(2)`: fills the buffer from another process's memory; the bytes moved, or a negated errno. */
  *processVmReadv(process: Process, address: number, buffer: Uint8Array): Sleepable<number> {
    return yield* this.#endCall(this.#accessOther(process.mm, address, buffer, "read"));
  }

  /** `process_vm_writev(2)`: writes the buffer to another process's memory. */
  *processVmWritev(process: Process, address: number, buffer: Uint8Array): Sleepable<number> {
    return yield* this.#endCall(this.#accessOther(process.mm, address, buffer, "write"));
  }

  /** /proc/PID of a process, its own unless told otherwise. */
  proc(process: Process = this.process): ProcFiles {
    return new ProcFiles(process.mm);
  }

  // Processes, time and signals.

  /**
   * `fork(2)`: the child runs `program` in a copy of this address space with the same open files. Generators cannot be
   * copied, so the child's program is given instead of going on after the call.
   *
   * In the order of `copy_process` (kernel/fork.c): the files first, then the address space, so that a descriptor closed
   * meanwhile leaves the child its file; what fails is undone the other way round.
   *
   * @returns the child, or -ENOMEM with nothing left of it
   */
  *fork(program: Program, name = `${this.process.name}+`): Sleepable<Process | number> {
    const { machine, process } = this;
    if (!machine.mayAllocate("dup_task_struct")) return -ENOMEM;
    if (machine.sched.interleaving) yield process.files.duplicatePoint();
    const files = process.duplicateFiles();
    const childMm = yield* duplicateMm(this.mm, name);
    if (typeof childMm === "number") {
      yield* files.closeAll();
      return childMm;
    }
    const child = machine.createProcess(name, childMm);
    child.takeFiles(files);
    process.copyHandlersTo(child);
    machine.log.record("fork", this.mm.id, childMm.id, child.pid);
    child.start(program, { onTrap: this.#onTrap });
    yield* this.#returnToUser();
    return child;
  }

  /**
   * Another thread of the same process (`clone(2)` with CLONE_VM).
   *
   * @returns the thread, or -ENOMEM (`dup_task_struct` in `copy_process`; the C library makes EAGAIN of it)
   */
  spawn(program: Program, name?: string): UserThread | number {
    if (!this.machine.mayAllocate("dup_task_struct")) return -ENOMEM;
    return this.process.start(program, { name, onTrap: this.#onTrap });
  }

  /** Ends this thread's whole process (`exit_group(2)`). */
  exit(status: number): never {
    this.process.endAll({ status });
    throw new ThreadExit();
  }

  /** `nanosleep(2)`: 0, or -EINTR after a signal was handled. */
  *nanosleep(duration: VirtualNs): Sleepable<number> {
    return yield* this.#endCall(this.#sleepFor(duration, "interruptible"));
  }

  /** Sleeps without looking at signals of the handled kind, on the way out of the kernel. */
  *pause(duration: VirtualNs): Sleepable<void> {
    yield* this.#sleepFor(duration, "killable");
    yield* this.#returnToUser();
  }

  /** `sigaction(2)`: what this process does at a signal; SIGKILL cannot be handled. */
  sigaction(signal: Exclude<SignalName, "SIGKILL">, handler: () => void): void {
    this.process.handle(signal, handler);
  }

  /** Whether the thread has started and not ended. */
  get isAlive(): boolean {
    this.#noteSignals(PointAccess.read);
    return this.#task !== undefined && this.#task.state !== "done";
  }

  /** Sends this very thread a signal (`tgkill(2)`). */
  receive(signal: SignalName): void {
    this.#noteSignals(PointAccess.write);
    if (this.#task === undefined || this.#task.state === "done") return;
    this.#pending.push(signal);
    const isHandled = this.process.handler(signal) !== undefined;
    this.machine.sched.signal(this.#task, isHandled ? "pending" : "fatal");
  }

  /** Runs the handlers of what has arrived; an unhandled signal ends the process. */
  *deliverSignals(): Sleepable<void> {
    yield* this.#returnToUser();
  }

  /** The offset, which the system call counts in bytes, is looked at before the descriptor (arch/x86/kernel/sys_x86_64.c). */
  *#map(request: MapRequest): Sleepable<number> {
    const { descriptor, pgoff = 0 } = request;
    if (!Number.isInteger(pgoff)) return -EINVAL;
    if (descriptor === undefined) return yield* mmap(this.mm, request, undefined);
    return yield* withFile(this.process, descriptor, (file) => mmap(this.mm, request, file));
  }

  *#accessOther(mm: Mm, address: number, buffer: Uint8Array, direction: "read" | "write"): Sleepable<number> {
    if (!mm.tryUse()) return -ESRCH;
    const moved = yield* accessByPins(mm, address, buffer, direction);
    yield* this.machine.dropMm(mm);
    return moved;
  }

  *#sleepFor(duration: VirtualNs, mode: "interruptible" | "killable"): Sleepable<number> {
    const { sched } = this.machine;
    const deadline = sched.now + duration;
    return yield* this.#sleep.waitUntilOr(() => sched.now >= deadline, mode, deadline);
  }

  *#main(program: Program): Sleepable<unknown> {
    let result: unknown;
    let failure: unknown;
    try {
      result = yield* program(
        this.machine.isTraced ? traced(this.machine.sched, this, { apart: accesses }) : this,
      );
    } catch (thrown) {
      if (!(thrown instanceof ThreadExit)) failure = thrown;
    }
    this.#noteSignals(PointAccess.write);
    this.task.signal = "none";
    yield* this.process.threadEnded();
    // From this step on no signal reaches it any more.
    this.#noteSignals(PointAccess.write);
    if (failure !== undefined) throw failure;
    return result;
  }

  *#endCall(call: Sleepable<number>): Sleepable<number> {
    const result = yield* call;
    if (this.hasSignal) yield* this.#returnToUser();
    return result === -ERESTARTSYS ? -EINTR : result;
  }

  *#endAccess<T>(result: Access<T>): Sleepable<Access<T>> {
    if (this.hasSignal) yield* this.#returnToUser();
    if (this.#onTrap === "die" && isTrap(result)) {
      this.process.endAll({ signal: result.signal });
      throw new ThreadExit();
    }
    return result;
  }

  /** Notes that the step under way touches the signals that wait for this thread, or looks whether it still takes any. */
  #noteSignals(access: PointAccess): void {
    const task = this.#task;
    if (task !== undefined) this.machine.sched.note(ObjectKind.signal, task.id, access);
  }

  *#returnToUser(): Sleepable<void> {
    const { task } = this;
    this.#noteSignals(
      task.signal === "none" && this.#pending.length === 0 ? PointAccess.read : PointAccess.write,
    );
    while (this.#pending.length > 0) {
      const signal = this.#pending.shift() as SignalName;
      const handler = this.process.handler(signal);
      if (handler === undefined) {
        if (this.process.exit === undefined) this.process.endAll({ signal });
        throw new ThreadExit();
      }
      handler();
    }
    task.signal = "none";
  }
}
