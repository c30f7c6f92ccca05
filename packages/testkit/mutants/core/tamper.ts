import type { Kernel, Machine, Mm, UserThread, VmOps } from "@nopage/core";

/** What a wrong core does to a machine before anything runs on it. */
export type Tampering = (machine: Machine, kernel: Kernel) => void;

/** Changes every thread of user space when it starts: its system calls are the core's face. */
export function eachThread(machine: Machine, change: (thread: UserThread) => void): void {
  const create = machine.createProcess.bind(machine);
  machine.createProcess = (name, mm) => {
    const process = create(name, mm);
    const start = process.start.bind(process);
    process.start = (program, options) =>
      start(function* (thread) {
        change(thread);
        // A thread that this one starts goes by the same face.
        const spawn = thread.spawn.bind(thread);
        thread.spawn = (body, threadName) =>
          spawn(function* (sibling) {
            change(sibling);
            yield* body(sibling);
          }, threadName);
        yield* program(thread);
      }, options);
    return process;
  };
}

/** Changes every address space when it is made. */
export function eachMm(machine: Machine, change: (mm: Mm) => void): void {
  const create = machine.tryCreateMm.bind(machine);
  machine.tryCreateMm = (name) => {
    const mm = create(name);
    if (mm !== undefined) change(mm);
    return mm;
  };
}

/** Changes what the core is told by the hooks of every device. */
export function eachOps(machine: Machine, change: (ops: VmOps) => VmOps): void {
  const { devices } = machine;
  const register = devices.register.bind(devices);
  devices.register = (path, operations) => {
    const { mmap } = operations;
    if (mmap === undefined) return register(path, operations);
    return register(path, {
      ...operations,
      *mmap(file, area) {
        const asked = mmap.call(operations, file, area);
        const answer = typeof asked === "number" ? asked : yield* asked;
        if (area.ops !== undefined) area.ops = change(area.ops);
        return answer;
      },
    });
  };
}
