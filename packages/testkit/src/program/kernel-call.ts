import type { Kernel, Machine, Sleepable, UserThread } from "@nopage/core";

/** What a model-only law may look at and do while it is in the kernel. */
export interface Inside {
  readonly machine: Machine;
  readonly kernel: Kernel;
  /** The thread that made the call. */
  readonly thread: UserThread;
}

/** Kernel code that a model-only law runs in the calling thread, as a system call would. */
export type KernelCall<T> = (inside: Inside) => Sleepable<T>;
