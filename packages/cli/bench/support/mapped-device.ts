import type { UserThread } from "@nopage/core";
import {
  type BackingMemory,
  createKernel,
  isError,
  Machine,
  type MachineOptions,
  type MappingStrategy,
  type Program,
  VM_READ,
  VM_WRITE,
} from "@nopage/core";

/** A machine set up for speed: no event log, no check of every access. */
export function fastMachine(options: MachineOptions = {}): Machine {
  return new Machine({ eventLog: "off", checkAccesses: "off", cpus: 1, ...options });
}

/** What one benchmark shows to its process. */
export interface Shown {
  readonly strategy: MappingStrategy;
  readonly pages: number;
  /** Makes the memory on the machine that will show it. */
  readonly memory: (machine: Machine) => BackingMemory;
}

/** Registers `/dev/bench`, whose mmap goes through the strategy. */
export function showDevice(machine: Machine, { strategy, pages, memory }: Shown): void {
  const kernel = createKernel(machine);
  const inode = machine.devices.register("/dev/bench", {
    name: "bench",
    owner: undefined,
    mmap: (_file, area) => binding.mmap(area),
  });
  if (typeof inode === "number") throw new Error(`/dev/bench: ${inode}`);
  const shape = {
    name: "bench",
    memory: memory(machine),
    pages,
    cache: "cached",
    mapping: inode.mapping,
  } as const;
  const binding = kernel.bind(strategy, shape);
}

/** Runs one user program to its end; what it throws is thrown here. */
export function runProgram(machine: Machine, program: Program): void {
  const process = machine.spawn("bench", program);
  const { status, waiting } = machine.sched.run();
  const failure = process.threads[0].task.failure;
  if (failure !== undefined) throw failure;
  if (status !== "finished") throw new Error(`${status}: ${waiting.join("; ")}`);
  if (machine.violations.list.length > 0) throw new Error(machine.violations.list[0].message);
}

/** Opens `/dev/bench` and maps `pages` pages of it, shared and writable. */
export function* mapDevice(thread: UserThread, pages: number) {
  const descriptor = yield* thread.open({ path: "/dev/bench", mode: "read-write", blocking: "blocking" });
  const address = yield* thread.mmap({
    length: pages * thread.machine.geometry.pageSize,
    protection: VM_READ | VM_WRITE,
    sharing: "shared",
    descriptor,
  });
  if (isError(address)) throw new Error(`mmap: ${address}`);
  yield* thread.close(descriptor);
  return address;
}

/** A window of I/O memory that reads as zero; its first frame. */
export function claimIo(machine: Machine, pages: number): number {
  const silent = { read: () => 0, write: () => undefined };
  const range = machine.memory.io.claim("bench", pages, silent);
  if (typeof range === "number") throw new Error(`claim: ${range}`);
  return range.startPfn;
}
