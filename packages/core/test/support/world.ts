import { expect } from "vitest";
import { VM_READ, VM_WRITE } from "../../src/contract/area-flags.ts";
import { errnoName } from "../../src/contract/errno.ts";
import type { Sleepable } from "../../src/contract/execution.ts";
import type { Kernel } from "../../src/contract/kernel.ts";
import { createKernel } from "../../src/kernel.ts";
import { Machine } from "../../src/machine.ts";
import type { MachineOptions } from "../../src/machine-options.ts";
import { checkMachine } from "../../src/sanitize/check-machine.ts";
import type { ViolationKind } from "../../src/sanitize/violation.ts";
import type { RunReport } from "../../src/sched/scheduler.ts";
import type { Process, Program } from "../../src/user/process.ts";
import type { UserThread } from "../../src/user/user-thread.ts";

export const RW = VM_READ | VM_WRITE;

/**
 * A machine under test with its kernel. `finish` gives back what the test made and checks that nothing is left: no
 * frames, tables, files or address spaces, no violation that was not expected, and no two books that disagree.
 */
export class World {
  readonly machine: Machine;
  readonly kernel: Kernel;
  readonly #closers: (() => void)[] = [];
  readonly #before: ReturnType<World["inUse"]>;

  constructor(options: MachineOptions = {}) {
    this.machine = new Machine({ ramPages: 96, sanitizers: "all", ...options });
    this.kernel = createKernel(this.machine);
    this.#before = this.inUse();
  }

  /** Bytes of a page. */
  get page(): number {
    return this.machine.geometry.pageSize;
  }

  inUse() {
    const { memory, tables, devices, mms } = this.machine;
    return {
      frames: memory.freeFrames,
      owners: [...memory.frames.inUseByOwner()],
      tables: tables.tablesInUse,
      files: devices.openFiles.size,
      mms: mms.size,
    };
  }

  /** What `finish` undoes, last first. */
  atEnd(close: () => void): void {
    this.#closers.push(close);
  }

  spawn(program: Program, name = "p"): Process {
    return this.machine.spawn(name, program);
  }

  /** Runs what was spawned, and this program if one is given; what a task threw is thrown here. */
  run(program?: Program): RunReport {
    if (program !== undefined) this.spawn(program);
    const report = this.machine.sched.run();
    for (const { failure } of this.machine.sched.tasks) if (failure !== undefined) throw failure;
    return report;
  }

  /** A kernel thread's work, run to its end. */
  asKernel<T>(body: () => Sleepable<T>): T {
    const task = this.machine.sched.spawn({ name: "kernel work", kind: "kernel", cpu: 0 }, body());
    this.run();
    return task.result as T;
  }

  /** The messages of violations so far. */
  get messages(): readonly string[] {
    return this.machine.violations.list.map(({ message }) => message);
  }

  /** Everything agrees at this moment; to be asked between two system calls of the only thread. */
  expectAgreement(): void {
    expect(checkMachine(this.machine)).toEqual([]);
  }

  finish(...expected: ViolationKind[]): void {
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) close();
    const kinds = this.machine.violations.list.map(({ kind }) => kind);
    expect(kinds, this.messages.join("\n")).toEqual(expected);
    this.expectAgreement();
    expect(this.inUse()).toEqual(this.#before);
  }
}

/** Runs one program in a machine of its own, which must come to its end and leave nothing behind. */
export function runProgram(program: (world: World) => Program, options: MachineOptions = {}): World {
  const world = new World(options);
  const { status, waiting } = world.run(program(world));
  expect(status, waiting.join("; ")).toBe("finished");
  world.finish();
  return world;
}

/** An address or a value that a call answered with; fails the test when it is an error. */
export function ok(result: number): number {
  if (result < 0) throw new Error(`the call answered ${errnoName(result)}`);
  return result;
}

/** A thread that a call started; fails the test when it is an error. */
export function started(thread: UserThread | number): UserThread {
  if (typeof thread === "number") throw new Error(`the thread was not started: ${errnoName(thread)}`);
  return thread;
}

/** The trap that an access must end in, in short: `SIGSEGV SEGV_MAPERR`. */
export function trapOf(result: unknown): string {
  if (typeof result === "object" && result !== null && "signal" in result && "code" in result) {
    return `${result.signal} ${result.code}`;
  }
  return `no trap but ${String(result)}`;
}

/** Forks and waits for the child's end. */
export function* inChild(thread: UserThread, program: Program): Sleepable<void> {
  const child = yield* thread.fork(program);
  if (typeof child === "number") throw new Error(`fork answered ${child}`);
  yield* child.waitForEnd();
}
