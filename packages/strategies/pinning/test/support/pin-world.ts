import {
  checkMachine,
  createKernel,
  DmaPort,
  isGenerator,
  type Kernel,
  Machine,
  type MachineOptions,
  type MaySleep,
  type Pinned,
  type PinningHooks,
  type PinningPolicy,
  type Program,
  type Sleepable,
  type UserAddress,
  type UserThread,
  VM_READ,
  VM_WRITE,
} from "@nopage/core";

/** Bytes of a page of the machines here. */
export const PAGE = 4096;

/** A machine with a device that does DMA, and nothing else: the test is the driver. */
export interface PinWorld {
  readonly machine: Machine;
  readonly kernel: Kernel;
  readonly dma: DmaPort;
  create(policy: PinningPolicy): PinningHooks;
  /** Runs a program to its end, with whatever it starts; throws what it threw. */
  run(program: Program): void;
  /** What has been violated so far, by kind. */
  readonly kinds: readonly string[];
  /** Frames in use by processes. */
  readonly anonymousPages: number;
}

export function pinWorld(options: MachineOptions = {}): PinWorld {
  const machine = new Machine({ ramPages: 64, ...options });
  const kernel = createKernel(machine);
  const dma = new DmaPort(machine, "test card", 32);
  return {
    machine,
    kernel,
    dma,
    create: (policy) => policy.create(kernel),
    run(program) {
      machine.spawn("p", program);
      const { status, waiting } = machine.sched.run();
      for (const { failure } of machine.sched.tasks) if (failure !== undefined) throw failure;
      if (status !== "finished") throw new Error(waiting.join("; "));
      if (machine.settings.reservedPages === "6.1") {
        const disagreements = checkMachine(machine);
        if (disagreements.length > 0) throw new Error(disagreements.join("; "));
      }
    },
    get kinds() {
      return machine.violations.list.map(({ kind }) => kind);
    },
    get anonymousPages() {
      return machine.memory.frames.inUseByOwner().get("anon") ?? 0;
    },
  };
}

/** Private memory of so many pages. */
export function* memoryOf(thread: UserThread, pages: number): Sleepable<UserAddress> {
  const protection = VM_READ | VM_WRITE;
  return (yield* thread.mmap({ length: pages * PAGE, protection, sharing: "private" })) as UserAddress;
}

/** What a hook answers, however it does. */
export function* answerOf<T>(answer: MaySleep<T>): Sleepable<T> {
  return isGenerator(answer) ? yield* answer : (answer as T);
}

/** Pins pages for a device that writes; the token, or fails the test. */
export function* pin(
  hooks: PinningHooks,
  thread: UserThread,
  start: UserAddress,
  pages: number,
): Sleepable<Pinned> {
  const pinned = yield* answerOf(hooks.pin(thread.mm, start, pages, "device-writes"));
  if (typeof pinned === "number") throw new Error(`pin answered ${pinned}`);
  return pinned;
}
