import {
  type BackingKind,
  isError,
  isTrap,
  type MachineOptions,
  type MappingStrategy,
  randomChooser,
  type Sleepable,
  type UserThread,
} from "@nopage/core";
import { entriesOf } from "./entries-of.ts";
import { markOf } from "./mark.ts";
import { reluctantChooser } from "./reluctant-chooser.ts";
import { mapTestDevice, type TestDevice } from "./test-device.ts";
import { createTestWorld, type TestWorld } from "./test-world.ts";

/** Which strategy, on which memory, under which schedule. */
export interface TransferRace {
  readonly strategy: MappingStrategy;
  readonly backing: BackingKind;
  readonly seed: number;
  readonly machine?: MachineOptions;
}

const PAGES = 3;
/** Longer than any wait of the race, in virtual nanoseconds. */
const AFTERWARDS = 1_000_000;

/**
 * A process maps a device, forks, moves and unmaps parts of the mapping and touches it all the time, while a transfer
 * takes the mapping away and gives it back: the race that every author of a strategy meets.
 *
 * @returns every breach, in words: an entry that stands or a touch that gets through while the device is quiesced, a
 *   value or a signal that the strategy does not promise, a page that is not back afterwards
 * @throws when anything is left over at the end, or the machine found a violation
 */
export function raceTransfer({ strategy, backing, seed, machine: options }: TransferRace): readonly string[] {
  const chooser = seed % 2 === 0 ? randomChooser(seed) : reluctantChooser(seed);
  const machine = { cpus: 3, ...options, chooser };
  const world = createTestWorld({ strategy, backing, pages: PAGES, machine });
  const breaches: string[] = [];
  const mayTrap = strategy.supports.whileRevoked === "sigbus";
  startTransfer(world, breaches);
  world.run((thread) => useMapping(thread, world.device, { breaches, mayTrap }));
  return [...breaches, ...world.shown.trespasses];
}

interface Expectation {
  readonly breaches: string[];
  readonly mayTrap: boolean;
}

function* useMapping(thread: UserThread, device: TestDevice, expected: Expectation): Sleepable<void> {
  const { pageSize } = thread.machine.geometry;
  const address = yield* mapTestDevice(thread, device);
  if (isError(address)) {
    if (!expected.mayTrap) expected.breaches.push(`mmap answered ${address}`);
    return;
  }
  yield* touch(thread, address, 0, expected);
  thread.spawn(function* (sibling) {
    yield* sibling.munmap(address + pageSize, pageSize);
    yield* touch(sibling, address, 0, expected);
  });
  yield* thread.fork(function* (child) {
    yield* touch(child, address + 2 * pageSize, 2, expected);
    yield* child.nanosleep(AFTERWARDS);
    yield* touch(child, address + 2 * pageSize, 2, { ...expected, mayTrap: false });
  });
  const size = { oldLength: pageSize, newLength: pageSize, newAddress: 0x1000_0000 };
  const moved = yield* thread.mremap({ address: address + 2 * pageSize, ...size, moving: "may-move" });
  yield* touch(thread, moved, 2, expected);
  yield* thread.nanosleep(AFTERWARDS);
  yield* touch(thread, address, 0, { ...expected, mayTrap: false });
  yield* touch(thread, moved, 2, { ...expected, mayTrap: false });
}

function* touch(thread: UserThread, address: number, index: number, expected: Expectation): Sleepable<void> {
  const value = yield* thread.load(address);
  if (value === markOf(index) || (expected.mayTrap && isTrap(value) && value.signal === "SIGBUS")) return;
  const seen = isTrap(value) ? value.signal : `0x${value.toString(16)}`;
  expected.breaches.push(`${thread.name} sees ${seen} in page ${index}`);
}

function startTransfer({ machine, kernel, device, shown }: TestWorld, breaches: string[]): void {
  const moments = kernel.sync.shared("moments of the transfer", 0);
  const transfer = function* (): Sleepable<void> {
    yield* device.binding.quiesce();
    shown.hide();
    for (let moment = 0; moment < 4; moment++) {
      const entries = entriesOf(machine, device);
      if (entries > 0) breaches.push(`${entries} entries show the device at moment ${moment}`);
      yield* moments.set(moment);
    }
    shown.reveal();
    yield* device.binding.resume();
  };
  kernel.time.spawnKernelThread("transfer", transfer, "required");
}
