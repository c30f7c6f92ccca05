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
import type {
  Actor,
  ActorState,
  Body,
  FaultCounts,
  OperationName,
  OperationTypes,
  OperationWidth,
  Steps,
  UserOperation,
} from "./operation.ts";
import { operationTally } from "./operation-tally.ts";

function perform<K extends OperationName>(
  call: K,
  request: OperationTypes[K]["request"],
): Steps<OperationTypes[K]["answer"]> {
  operationTally.make(call);
  return performed(call, request);
}

/** Yields one operation and types its answer: the only place that has to trust the executor. */
function* performed<K extends OperationName>(
  call: K,
  request: OperationTypes[K]["request"],
): Steps<OperationTypes[K]["answer"]> {
  operationTally.begin(call);
  return (yield { call, request } as UserOperation) as OperationTypes[K]["answer"];
}

/**
 * The operations of user space, in the words of their manual pages, for a program to delegate to: `yield* user.mmap(…)`.
 * Each is performed by the thread whose program yields it.
 */
export const user = {
  open: (request: OpenRequest): Steps<number> => perform("open", request),
  close: (descriptor: number): Steps<number> => perform("close", { descriptor }),
  read: (descriptor: number, buffer: number, bytes: number): Steps<number> =>
    perform("read", { descriptor, buffer, bytes }),
  write: (descriptor: number, buffer: number, bytes: number): Steps<number> =>
    perform("write", { descriptor, buffer, bytes }),
  ioctl: (descriptor: number, command: number, argument = 0): Steps<number> =>
    perform("ioctl", { descriptor, command, argument }),
  memfd: (name: string): Steps<number> => perform("memfd", { name }),
  ftruncate: (descriptor: number, bytes: number): Steps<number> =>
    perform("ftruncate", { descriptor, bytes }),

  mmap: (request: MapRequest): Steps<number> => perform("mmap", request),
  munmap: (address: number, length: number): Steps<number> => perform("munmap", { address, length }),
  mremap: (request: MremapRequest): Steps<number> => perform("mremap", request),
  mprotect: (address: number, length: number, protection: number): Steps<number> =>
    perform("mprotect", { address, length, protection }),
  madvise: (address: number, length: number, advice: Advice): Steps<number> =>
    perform("madvise", { address, length, advice }),
  mlock: (address: number, length: number): Steps<number> => perform("mlock", { address, length }),
  munlock: (address: number, length: number): Steps<number> => perform("munlock", { address, length }),
  msync: (address: number, length: number, request: MsyncRequest = {}): Steps<number> =>
    perform("msync", { address, length, ...request }),
  mincore: (address: number, length: number): Steps<readonly boolean[] | number> =>
    perform("mincore", { address, length }),
  load: (address: number, width: OperationWidth = 4): Steps<Access<number>> =>
    perform("load", { address, width }),
  store: (address: number, value: number, width: OperationWidth = 4): Steps<Access<undefined>> =>
    perform("store", { address, value, width }),
  load64: (address: number): Steps<Access<bigint>> => perform("load64", { address }),
  store64: (address: number, value: bigint): Steps<Access<undefined>> =>
    perform("store64", { address, value }),

  smaps: (): Steps<readonly SmapsArea[]> => perform("smaps", {}),
  memoryStatus: (): Steps<MemoryStatus> => perform("memoryStatus", {}),
  faults: (): Steps<FaultCounts> => perform("faults", {}),
  pagemap: (address: number, pages: number): Steps<readonly boolean[]> =>
    perform("pagemap", { address, pages }),
  readProcMem: (address: number, bytes: number): Steps<Uint8Array> =>
    perform("readProcMem", { address, bytes }),
  writeProcMem: (address: number, from: Uint8Array): Steps<number> =>
    perform("writeProcMem", { address, from }),
  processVmRead: (address: number, bytes: number): Steps<Uint8Array | number> =>
    perform("processVmRead", { address, bytes }),

  thread: (body: Body, name = "thread"): Steps<Actor> => perform("thread", { body, name }),
  fork: (body: Body, name = "child"): Steps<Actor | number> => perform("fork", { body, name }),
  process: (body: Body, name = "process"): Steps<Actor> => perform("process", { body, name }),
  join: (actor: Actor): Steps<ExitStatus> => perform("join", { actor }),
  stateOf: (actor: Actor): Steps<ActorState> => perform("stateOf", { actor }),
  settle: (): Steps<undefined> => perform("settle", {}),
  kill: (actor: Actor, signal: SignalName): Steps<undefined> => perform("kill", { actor, signal }),
  countSignal: (signal: Exclude<SignalName, "SIGKILL">): Steps<undefined> =>
    perform("countSignal", { signal }),
  signalsTaken: (signal: SignalName): Steps<number> => perform("signalsTaken", { signal }),
  exit: (status: number): Steps<never> => perform("exit", { status }),
  sleep: (duration: VirtualNs): Steps<number> => perform("sleep", { duration }),

  deleteModule: (name: string): Steps<number> => perform("deleteModule", { name }),

  /** For subjects of the Linux lab, which know what the agent answers. */
  guest: (words: string): Steps<unknown> => perform("guest", { words }),
  /** For model-only laws. */
  kernel: <T>(body: KernelCall<T>): Steps<T> => perform("kernel", { body }) as Steps<T>,
};
