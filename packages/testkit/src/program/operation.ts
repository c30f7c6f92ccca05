import type {
  Access,
  Advice,
  ExitStatus,
  MapRequest,
  MemoryStatus,
  MremapRequest,
  MsyncRequest,
  OpenRequest,
  SignalName,
  SmapsArea,
  VirtualNs,
} from "@nopage/core";
import type { KernelCall } from "./kernel-call.ts";

/** How wide a single load or store is, in bytes; 8 bytes are a bigint. */
export type OperationWidth = 1 | 2 | 4;

/** A thread or process that a program has started. Compared, never looked into: only the executor knows what it is. */
export interface Actor {
  readonly name: string;
}

/** How an actor stands: `blocked` is in a system call or a fault that cannot go on by itself. */
export type ActorState = "running" | "blocked" | "ended";

/**
 * A user program: it yields one operation after the other and is resumed with each one's answer. Who executes them, the
 * model or a real kernel, it does not know.
 */
export type Steps<T> = Generator<UserOperation, T, unknown>;

/** What a new thread or process runs. */
export type Body = () => Steps<void>;

/** Counts of page faults (`getrusage`: `ru_minflt`, `ru_majflt`) of the calling thread. */
export interface FaultCounts {
  readonly minor: number;
  readonly major: number;
}

/**
 * Every operation with what it is asked with and what it answers. Addresses and lengths are in bytes, offsets into
 * objects in pages, times in virtual nanoseconds. System calls answer with 0 or a value, or a negated errno; an access
 * that traps answers with the trap.
 */
export interface OperationTypes {
  // Files.
  open: { request: OpenRequest; answer: number };
  close: { request: { readonly descriptor: number }; answer: number };
  read: {
    request: { readonly descriptor: number; readonly buffer: number; readonly bytes: number };
    answer: number;
  };
  write: {
    request: { readonly descriptor: number; readonly buffer: number; readonly bytes: number };
    answer: number;
  };
  ioctl: {
    request: { readonly descriptor: number; readonly command: number; readonly argument: number };
    answer: number;
  };
  memfd: { request: { readonly name: string }; answer: number };
  ftruncate: { request: { readonly descriptor: number; readonly bytes: number }; answer: number };

  // Memory.
  mmap: { request: MapRequest; answer: number };
  munmap: { request: { readonly address: number; readonly length: number }; answer: number };
  mremap: { request: MremapRequest; answer: number };
  mprotect: {
    request: { readonly address: number; readonly length: number; readonly protection: number };
    answer: number;
  };
  madvise: {
    request: { readonly address: number; readonly length: number; readonly advice: Advice };
    answer: number;
  };
  mlock: { request: { readonly address: number; readonly length: number }; answer: number };
  munlock: { request: { readonly address: number; readonly length: number }; answer: number };
  msync: {
    request: { readonly address: number; readonly length: number } & MsyncRequest;
    answer: number;
  };
  mincore: {
    request: { readonly address: number; readonly length: number };
    answer: readonly boolean[] | number;
  };
  load: { request: { readonly address: number; readonly width: OperationWidth }; answer: Access<number> };
  store: {
    request: { readonly address: number; readonly width: OperationWidth; readonly value: number };
    answer: Access<undefined>;
  };
  load64: { request: { readonly address: number }; answer: Access<bigint> };
  store64: { request: { readonly address: number; readonly value: bigint }; answer: Access<undefined> };

  // What the kernel shows of a process.
  smaps: { request: object; answer: readonly SmapsArea[] };
  memoryStatus: { request: object; answer: MemoryStatus };
  faults: { request: object; answer: FaultCounts };
  /** Whether /proc/PID/pagemap shows a frame behind each page. */
  pagemap: { request: { readonly address: number; readonly pages: number }; answer: readonly boolean[] };
  /** The first bytes of its own memory through /proc/self/mem; shorter where it cannot be reached. */
  readProcMem: { request: { readonly address: number; readonly bytes: number }; answer: Uint8Array };
  writeProcMem: { request: { readonly address: number; readonly from: Uint8Array }; answer: number };
  /** `process_vm_readv` of its own memory: the bytes moved, or a negated errno. */
  processVmRead: {
    request: { readonly address: number; readonly bytes: number };
    answer: Uint8Array | number;
  };

  // Threads, processes, signals, time.
  thread: { request: { readonly body: Body; readonly name: string }; answer: Actor };
  fork: { request: { readonly body: Body; readonly name: string }; answer: Actor | number };
  /** A process that shares nothing with this one. */
  process: { request: { readonly body: Body; readonly name: string }; answer: Actor };
  /** Waits until a process is gone, or a thread has ended: how. */
  join: { request: { readonly actor: Actor }; answer: ExitStatus };
  stateOf: { request: { readonly actor: Actor }; answer: ActorState };
  /** Lets everybody else go on until each of them has ended or is blocked. */
  settle: { request: object; answer: undefined };
  kill: { request: { readonly actor: Actor; readonly signal: SignalName }; answer: undefined };
  /** From now on the signal is counted in the whole process instead of ending it. */
  countSignal: { request: { readonly signal: Exclude<SignalName, "SIGKILL"> }; answer: undefined };
  signalsTaken: { request: { readonly signal: SignalName }; answer: number };
  exit: { request: { readonly status: number }; answer: never };
  sleep: { request: { readonly duration: VirtualNs }; answer: number };

  // Modules.
  /** `delete_module` with O_NONBLOCK: 0 or a negated errno. */
  deleteModule: { request: { readonly name: string }; answer: number };

  /** Something that only a real kernel knows, in the words of the agent in it; for subjects of the Linux lab. */
  guest: { request: { readonly words: string }; answer: unknown };
  /** What a system call of ours would do in the kernel; for model-only laws, no other executor knows it. */
  kernel: { request: { readonly body: KernelCall<unknown> }; answer: unknown };
}

export type OperationName = keyof OperationTypes;

/** One operation as data. */
export type UserOperation = {
  readonly [K in OperationName]: { readonly call: K; readonly request: OperationTypes[K]["request"] };
}[OperationName];
