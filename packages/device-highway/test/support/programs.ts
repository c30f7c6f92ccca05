import type { Program, Sleepable, UserThread } from "@nopage/core";
import { errnoName, VM_READ, VM_WRITE } from "@nopage/core";
import {
  encodeRequest,
  HIGHWAY_PATH,
  HIGHWAY_START,
  type HighwayRequest,
  REGION_BYTES,
} from "../../src/index.ts";
import type { TestWorld } from "./worlds.ts";

const protection = VM_READ | VM_WRITE;

/** Opens the device: a descriptor or a negated errno. */
export function open(thread: UserThread, blocking: "blocking" | "nonblocking" = "blocking") {
  return thread.open({ path: HIGHWAY_PATH, mode: "read-write", blocking });
}

/** Maps the whole measurement region, shared. */
export function mapRegion(thread: UserThread, descriptor: number): Sleepable<number> {
  return thread.mmap({ length: REGION_BYTES, protection, sharing: "shared", descriptor });
}

/** Private memory of the process. */
export function mapMemory(thread: UserThread, length: number): Sleepable<number> {
  return thread.mmap({ length, protection, sharing: "private" });
}

/** Issues a transfer command with a request that is put into memory at `scratch`. */
export function* request(
  thread: UserThread,
  descriptor: number,
  scratch: number,
  order: HighwayRequest,
  command = HIGHWAY_START,
): Sleepable<number> {
  yield* thread.storeBlock(scratch, encodeRequest(order));
  return yield* thread.ioctl(descriptor, command, scratch);
}

/** A result as a word for comparisons: `-EBUSY`, or the number. */
export function errno(result: number): number | string {
  return result < 0 ? `-${errnoName(result)}` : result;
}

/** Runs one program as a process of its own; throws what any task threw, and what did not end. */
export function runProgram({ machine, run }: TestWorld, program: Program): void {
  machine.spawn("test", program);
  const { status, waiting } = run();
  const failed = machine.sched.tasks.find(({ failure }) => failure !== undefined);
  if (failed !== undefined) throw failed.failure;
  if (status !== "finished") throw new Error(`${status}: ${waiting.join("; ")}`);
}
