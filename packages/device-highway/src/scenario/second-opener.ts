import type { Process, UserThread } from "@nopage/core";
import { EBUSY, type Sleepable, type VirtualNs, VM_READ, VM_WRITE } from "@nopage/core/contract";
import { HIGHWAY_PATH } from "../driver/highway-driver.ts";
import { encodeRequest, HIGHWAY_ACQUIRE } from "../driver/ioctl.ts";
import type { Victim } from "./victim.ts";

const RETRY_NS = 2500;
const BYTES = 1024;

/** A process that wants the device too: it tries until it gets it, and acquires a little. */
export class SecondOpener {
  openedAt: VirtualNs | undefined = undefined;
  /** Attempts that were answered with -EBUSY. */
  refusals = 0;
  readonly #victim: Victim;
  readonly #process: Process;

  /** Waits for the victim to be first, as long as that lives. */
  constructor(victim: Victim, process: Process) {
    this.#victim = victim;
    this.#process = process;
  }

  *run(thread: UserThread): Sleepable<void> {
    while (!this.#victim.hasOpened && !this.#process.isGone) yield* thread.nanosleep(RETRY_NS);
    let file = -EBUSY;
    while (file === -EBUSY) {
      file = yield* thread.open({ path: HIGHWAY_PATH, mode: "read-write", blocking: "blocking" });
      if (file !== -EBUSY) break;
      this.refusals++;
      yield* thread.nanosleep(RETRY_NS);
    }
    if (file < 0) return;
    this.openedAt = thread.machine.sched.now;
    const length = thread.machine.geometry.pageSize;
    const memory = yield* thread.mmap({ length, protection: VM_READ | VM_WRITE, sharing: "private" });
    yield* thread.storeBlock(memory, encodeRequest({ buffer: memory + 64, bytes: BYTES, interface: 0 }));
    yield* thread.ioctl(file, HIGHWAY_ACQUIRE, memory);
    yield* thread.close(file);
  }
}
