import { EBADF, EINVAL, ENOTTY } from "../contract/errno.ts";
import type { Atomic, Sleepable } from "../contract/execution.ts";
import type { UserAddress } from "../contract/units.ts";
import type { OpenRequest } from "../device/device-registry.ts";
import type { File } from "../device/file.ts";
import { isGenerator } from "../sched/is-generator.ts";
import type { Process } from "./process.ts";

// The system calls on files of a process, up to the point where its thread goes back to user mode.

/** `open(2)`: a descriptor, or a negated errno. */
export function* openFile(process: Process, request: OpenRequest): Sleepable<number> {
  const file = yield* process.machine.devices.open(request, process);
  return typeof file === "number" ? file : yield* install(process, file);
}

/** `memfd_create(2)`: a descriptor of a new, empty memory file, or -ENOMEM. */
export function* createMemoryFile(process: Process, name: string): Sleepable<number> {
  const file = yield* process.machine.sharedMemory.create(name, process);
  return typeof file === "number" ? file : yield* install(process, file);
}

/** `read(2)` and `write(2)`: the bytes moved, or a negated errno; -EINVAL for a length below 0 before the driver is asked. */
export function* transfer(
  process: Process,
  direction: "read" | "write",
  descriptor: number,
  buffer: number,
  length: number,
): Sleepable<number> {
  return yield* withFile(process, descriptor, (file) => {
    if (file.mode === (direction === "read" ? "write" : "read")) return refuse(EBADF);
    if (length < 0) return refuse(EINVAL);
    return file.operations[direction]?.(file, buffer as UserAddress, length) ?? refuse(EINVAL);
  });
}

/** `ioctl(2)`: what the driver answers; -ENOTTY from one that knows no commands. */
export function* control(
  process: Process,
  descriptor: number,
  command: number,
  argument: number,
): Sleepable<number> {
  return yield* withFile(process, descriptor, (file) => {
    const answer = file.operations.ioctl?.(file, command, argument) ?? -ENOTTY;
    return isGenerator(answer) ? answer : answerOf(answer);
  });
}

/** Does something with the file of a descriptor, which stays open meanwhile, whoever closes the descriptor (`fdget`). */
export function* withFile(
  process: Process,
  descriptor: number,
  use: (file: File) => Sleepable<number>,
): Sleepable<number> {
  const { sched, devices } = process.machine;
  if (sched.interleaving) yield process.files.lookPoint(descriptor);
  const file = process.file(descriptor);
  if (file === undefined) return -EBADF;
  devices.keep(file);
  const result = yield* use(file);
  yield* devices.drop(file);
  return result;
}

function* install(process: Process, file: File): Atomic<number> {
  if (process.machine.sched.interleaving) yield process.files.installPoint();
  return process.install(file);
}

function* refuse(errno: number): Sleepable<number> {
  return -errno;
}

function* answerOf(answer: number): Sleepable<number> {
  return answer;
}
