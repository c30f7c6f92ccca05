import {
  createKernel,
  type DeviceAccess,
  type DeviceFollower,
  type DeviceMirror,
  DmaPort,
  type DmaTranslator,
  isTrap,
  Machine,
  type Mm,
  randomChooser,
  type Sleepable,
  type UserAddress,
  type UserThread,
  VM_READ,
  VM_WRITE,
} from "@nopage/core";
import { reluctantChooser } from "@nopage/testkit";
import { DEVICE_WORD, type Operation } from "./operations.ts";

const protection = VM_READ | VM_WRITE;
const ROUNDS = 10;
const WRITABLE = 2;

/**
 * The device reads and writes a process's memory while an operation takes translations away, under one schedule.
 *
 * @returns what was wrong, in words: a translation that the process does not have itself, a write that was lost or that
 *   landed elsewhere, a violation of the machine, a leak
 */
export function race(mirror: DeviceMirror, operation: Operation, seed: number): readonly string[] {
  const chooser = seed % 2 === 0 ? randomChooser(seed) : reluctantChooser(seed);
  const machine = new Machine({ cpus: 3, ramPages: 128, chooser, stepLimit: 100_000 });
  const kernel = createKernel(machine);
  const before = machine.memory.freeFrames;
  const problems: string[] = [];
  const page = machine.geometry.pageSize;

  machine.spawn("victim", function* (thread) {
    const ownMemory = yield* thread.mmap({ length: 2 * page, protection, sharing: "private" });
    const file = yield* thread.memfdCreate("followed");
    yield* thread.ftruncate(file, 2 * page);
    const fileMapping = { length: 2 * page, protection, sharing: "shared", descriptor: file } as const;
    const fileMemory = yield* thread.mmap(fileMapping);
    const alias = yield* thread.mmap(fileMapping);
    const places = [ownMemory, ownMemory + page, fileMemory, fileMemory + page];
    for (const place of places) yield* thread.store(place + DEVICE_WORD, 0);
    const ranges = [ownMemory, fileMemory].map((start) => ({
      start: start as UserAddress,
      end: (start + 2 * page) as UserAddress,
    }));
    let isStopped = false;
    const stop = () => {
      isStopped = true;
    };
    const follower = yield* mirror.create(kernel).follow({ mm: thread.mm, ranges, stop });
    if (typeof follower === "number") throw new Error(`follow answered ${follower}`);
    const device = new Device(machine, follower, thread.mm, places, problems, () => isStopped);
    kernel.time.spawnKernelThread("device", () => device.run(seed), "required");
    thread.spawn(function* (sibling) {
      for (const place of [...places, ...places]) {
        yield* sibling.load(place);
        yield* sibling.store(place + 4, 1);
      }
    });
    yield* operation.run({ kernel, thread, ownMemory, fileMemory, file, page, problems });
    while (!device.isDone) yield* thread.nanosleep(100);
    const expectWritten = function* (address: number, index: number) {
      const seen = yield* thread.load(address + DEVICE_WORD);
      const written = device.written[index];
      if (written !== undefined && seen !== written) {
        problems.push(
          `page ${index} shows ${isTrap(seen) ? seen.signal : seen} where the device wrote ${written}`,
        );
      }
    };
    if (operation.ownMemory === "kept") {
      yield* expectWritten(ownMemory, 0);
      yield* expectWritten(ownMemory + page, 1);
    }
    if (operation.file === "kept") {
      yield* expectWritten(alias, 2);
      yield* expectWritten(alias + page, 3);
    }
  });
  machine.spawn("bystander", (thread) => keepOwnMemory(thread, page, problems));

  const { status, waiting } = machine.sched.run();
  if (status !== "finished") problems.push(`${status}: ${waiting.join("; ")}`);
  for (const { failure } of machine.sched.tasks) if (failure !== undefined) problems.push(String(failure));
  problems.push(...machine.violations.list.map(({ kind, message }) => `${kind}: ${message}`));
  if (status === "finished" && machine.memory.freeFrames !== before) {
    problems.push(`${before - machine.memory.freeFrames} frames are left over`);
  }
  return problems;
}

/** A process of which the device knows nothing: its memory must stay as it wrote it. */
function* keepOwnMemory(thread: UserThread, page: number, problems: string[]): Sleepable<void> {
  for (let round = 0; round < 3; round++) {
    const memory = yield* thread.mmap({ length: 2 * page, protection, sharing: "private" });
    for (const at of [0, page]) yield* thread.store(memory + at + DEVICE_WORD, 0xb0 + round);
    for (const at of [0, page]) {
      const seen = yield* thread.load(memory + at + DEVICE_WORD);
      if (seen !== 0xb0 + round) problems.push(`the bystander's memory shows ${String(seen)}`);
    }
    yield* thread.munmap(memory, 2 * page);
  }
}

/** A device that goes through its places in turn, with its driver, which populates at each device fault. */
class Device {
  /** By place, the word that it wrote last. */
  readonly written: (number | undefined)[] = [];
  isDone = false;
  readonly #follower: DeviceFollower;
  readonly #port: DmaPort;
  readonly #places: readonly number[];
  readonly #checked: DmaTranslator;

  constructor(
    machine: Machine,
    follower: DeviceFollower,
    mm: Mm,
    places: readonly number[],
    problems: string[],
    isStopped: () => boolean,
  ) {
    this.#follower = follower;
    this.#port = new DmaPort(machine, "test device", 52);
    this.#places = places;
    this.#checked = {
      state: follower.state,
      translate(address: UserAddress, access: DeviceAccess) {
        const pfn = follower.translate(address, access);
        if (pfn === undefined) return undefined;
        const entry = mm.table.entryOf(Math.floor(address / mm.pageSize));
        const isSame = Math.floor(entry / 4096) === pfn && (access === "read" || (entry & WRITABLE) !== 0);
        if (!isSame) problems.push(`the device may ${access} frame ${pfn}, and the process may not`);
        if (isStopped()) problems.push("the device has a translation although it was stopped");
        return pfn;
      },
      accessed: (address, access) => follower.accessed?.(address, access),
    };
  }

  *run(seed: number): Sleepable<void> {
    try {
      yield* this.#work(seed);
      yield* this.#follower.detach();
    } finally {
      this.isDone = true;
    }
  }

  *#work(seed: number): Sleepable<void> {
    for (let round = 0; round < ROUNDS; round++) {
      const index = (round * 3 + Math.abs(seed)) % this.#places.length;
      const address = ((this.#places[index] ?? 0) + DEVICE_WORD) as UserAddress;
      const access = round % 3 === 2 ? "read" : "write";
      if (!(yield* this.#touch(address, access, index, round + 1))) {
        const isAtomic = round % 2 === 0;
        yield* isAtomic
          ? this.#follower.populateAtomic(address, access)
          : this.#follower.populate(address, access);
        yield* this.#touch(address, access, index, round + 1);
      }
    }
  }

  *#touch(address: UserAddress, access: DeviceAccess, index: number, value: number): Sleepable<boolean> {
    if (access === "read") {
      return (yield* this.#port.readThrough(this.#checked, address, new Uint8Array(4))) === 4;
    }
    const moved = yield* this.#port.writeThrough(this.#checked, address, Uint8Array.of(value, 0, 0, 0));
    if (moved !== 4) return false;
    this.written[index] = value;
    return true;
  }
}
