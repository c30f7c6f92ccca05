import { EAGAIN, VM_DONTCOPY, VM_MIXEDMAP } from "@nopage/core";
import { pages } from "../mapping/right-strategies.ts";
import type { Mutant } from "../mutant.ts";
import { wrongCore } from "./core-mutant.ts";
import { eachThread } from "./tamper.ts";

const law = { bug: "law" } as const;

/** Mistakes in fork, exit, signals and faults as threads see them. */
export const threadCallMutants: readonly Mutant[] = [
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        const fork = thread.fork.bind(thread);
        thread.fork = function* (program, name) {
          for (const area of thread.mm.areas.all()) area.flags &= ~VM_DONTCOPY;
          return yield* fork(program, name);
        };
      }),
    {
      ...law,
      name: "fork copies what is not to be copied",
      source: "kernel/fork.c dup_mmap (VM_DONTCOPY)",
      caughtBy: {
        "LC-04": /a load by the child from page 0 is 0xface0000, and must be SIGSEGV SEGV_MAPERR/,
        "PE-05": /a load by the child is 0xface0000, and must be SIGSEGV SEGV_MAPERR/,
      },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        const fork = thread.fork.bind(thread);
        thread.fork = function* (program, name) {
          const child = yield* fork(program, name);
          return typeof child === "number" ? -EAGAIN : child;
        };
      }),
    {
      ...law,
      name: "a fork that fails answers EAGAIN",
      source: "kernel/fork.c dup_mmap",
      caughtBy: { "LC-05": /fork with memory for 0 allocations answers -EAGAIN, and must fail with ENOMEM/ },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        const fork = thread.fork.bind(thread);
        thread.fork = function* (program, name) {
          for (const area of thread.mm.areas.all()) area.flags |= VM_MIXEDMAP;
          return yield* fork(program, name);
        };
      }),
    {
      ...law,
      name: "fork copies the entries of every shared mapping",
      source: "mm/memory.c vma_needs_copy",
      caughtBy: { "RE-11": /the number of minor faults of the child's first touches is 0, and must be 4/ },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        thread.receive = () => {};
      }),
    {
      ...law,
      name: "a signal does not reach who waits",
      source: "mm/memory.c, FAULT_FLAG_INTERRUPTIBLE",
      caughtBy: {
        "FR-06": /it goes on for ever: law\/0 sleeps on the end of process loader; loader\/0 can run;/,
      },
      sanitizers: ["hung-task"],
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        Object.defineProperty(thread, "majorFaults", { get: () => 0, set: () => {} });
      }),
    {
      ...law,
      name: "no fault counts as major",
      source: "mm/memory.c mm_account_fault",
      caughtBy: { "FR-13": /the number of major faults of a load that waited is 0, and must be 1/ },
    },
  ),
  wrongCore(
    pages,
    (machine) => {
      machine.sharedMemory.truncate = function* () {
        return 0;
      };
    },
    {
      ...law,
      name: "a memory file is not cut off",
      source: "mm/shmem.c shmem_setattr",
      caughtBy: { "TR-01": /the last page is SIGBUS BUS_ADRERR, and must be 8/ },
    },
  ),
];
