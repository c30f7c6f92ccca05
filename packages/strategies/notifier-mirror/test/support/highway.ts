import {
  createKernel,
  isGenerator,
  Machine,
  type MachineOptions,
  type MappingStrategy,
  type PinningPolicy,
  type Sleepable,
  type UserThread,
  VM_READ,
  VM_WRITE,
} from "@nopage/core";
import {
  encodeRequest,
  HIGHWAY_ACQUIRE,
  HIGHWAY_PATH,
  highwayDriver,
  type LoadedHighway,
  REQUEST_BYTES,
} from "@nopage/device-highway";
import { lazyNopage } from "@nopage/lazy-nopage";
import { takeStock } from "@nopage/testkit";
import { expect } from "vitest";

const protection = VM_READ | VM_WRITE;

/** What the card acquires: each byte differs from its neighbours. */
export const samples = Uint8Array.from({ length: 16_384 }, (_, at) => (at * 7 + (at >> 8) * 3 + 1) & 0xff);

/** A machine with the Highway driver on a policy, and a card that has something to acquire. */
export class HighwayWorld {
  readonly machine: Machine;
  readonly driver: LoadedHighway;
  readonly #before: ReturnType<typeof takeStock>;

  constructor(pinning: PinningPolicy, options: MachineOptions = {}, strategy: MappingStrategy = lazyNopage) {
    this.machine = new Machine({ ramPages: 512, ...options });
    const kernel = createKernel(this.machine);
    const task = this.machine.sched.spawn(
      { name: "insmod", kind: "kernel", cpu: 0 },
      (function* (): Sleepable<unknown> {
        const answer = highwayDriver.load({ kernel, strategy, pinning, options: { burstBytes: 512 } });
        return isGenerator(answer) ? yield* answer : answer;
      })(),
    );
    this.machine.sched.run();
    if (task.failure !== undefined) throw task.failure;
    this.driver = task.result as LoadedHighway;
    this.driver.card?.feed(0, { bytes: samples, sampleRateHz: undefined });
    this.#before = takeStock(this.machine);
  }

  /** Runs everything to its end; nothing may be left over, and nobody may have done anything wrong. */
  finish(what: object = {}): void {
    const { machine, driver } = this;
    const { status, waiting } = machine.sched.run();
    for (const { failure } of machine.sched.tasks) if (failure !== undefined) throw failure;
    const violations = machine.violations.list.map(({ kind, message }) => `${kind}: ${message}`);
    const found = { ...what, status, waiting: [...waiting], violations, stock: takeStock(machine) };
    const good = { ...what, status: "finished", waiting: [], violations: [], stock: this.#before };
    expect(found).toEqual(good);
    expect(driver.card?.breaches).toEqual([]);
  }
}

/** Opens the device. */
export function open(thread: UserThread): Sleepable<number> {
  return thread.open({ path: HIGHWAY_PATH, mode: "read-write", blocking: "blocking" });
}

export function mapMemory(thread: UserThread, length: number): Sleepable<number> {
  return thread.mmap({ length, protection, sharing: "private" });
}

/** Acquires into a buffer: what the ioctl answers. */
export function* acquire(
  thread: UserThread,
  file: number,
  buffer: number,
  bytes: number,
  command = HIGHWAY_ACQUIRE,
): Sleepable<number> {
  const scratch = yield* mapMemory(thread, REQUEST_BYTES);
  yield* thread.storeBlock(scratch, encodeRequest({ buffer, bytes, interface: 0 }));
  return yield* thread.ioctl(file, command, scratch);
}
