import {
  type Chooser,
  checkMachine,
  type Process,
  runToBlock,
  type Sleepable,
  type UserThread,
  VM_READ,
} from "@nopage/core";
import { expect } from "vitest";
import { runPrograms } from "../../src/run-programs.ts";
import { takeStock } from "../../src/stock.ts";
import { buildCounted, type CountedWorld, mapAnonymous, mapCounted, RW } from "./counted-device.ts";

const STEPS = 60;

/** A generator of small numbers, the same for the same seed. */
function dice(seed: number): (sides: number) => number {
  let state = Math.imul(seed + 1, 0x9e37_79b1) | 0;
  return (sides) => {
    state = (Math.imul(state, 0x41c6_4e6d) + 12_345) | 0;
    return (state >>> 16) % sides;
  };
}

/** Everything that counts areas must count the same: the mms, the driver, the files, the module. */
function expectCounts({ machine, areas, module }: CountedWorld): void {
  const live = [...machine.mms]
    .flatMap(({ areas: map }) => map.all())
    .filter(({ ops }) => ops?.name === "counted");
  expect(areas()).toBe(live.length);
  const files = new Set(live.map(({ file }) => file));
  expect(module.uses).toBe(files.size);
  for (const file of machine.devices.openFiles) {
    const shows = live.filter((area) => area.file === file).length;
    if (file.operations.owner === module) expect(file.references).toBe(shows);
  }
  expect(checkMachine(machine)).toEqual([]);
}

/** One random call on a random range of the device's or of private memory. */
function* step(thread: UserThread, { page }: CountedWorld, roll: (sides: number) => number): Sleepable<void> {
  const all = thread.mm.areas.all();
  const area = all[roll(Math.max(1, all.length))];
  if (area === undefined || roll(8) === 0) {
    yield* roll(3) === 0 ? mapAnonymous(thread, 1 + roll(6), "private") : mapCounted(thread, 2 + roll(6));
    return;
  }
  const first = roll(area.pages);
  const pages = 1 + roll(area.pages - first);
  const at = area.start + first * page;
  switch (roll(8)) {
    case 0:
      yield* thread.munmap(at, pages * page);
      break;
    case 1:
      yield* thread.mprotect(at, pages * page, roll(2) === 0 ? VM_READ : RW);
      break;
    case 2:
      yield* thread.mremap({
        address: at,
        oldLength: pages * page,
        newLength: (1 + roll(8)) * page,
        moving: "may-move",
      });
      break;
    case 3: {
      const newAddress = 2 ** 28 + roll(64) * page;
      const length = pages * page;
      yield* thread.mremap({
        address: at,
        oldLength: length,
        newLength: length,
        moving: "may-move",
        newAddress,
      });
      break;
    }
    case 4:
      yield* thread.madvise(at, pages * page, roll(2) === 0 ? "dontneed" : "dontdump");
      break;
    case 5:
      yield* thread.mlock(at, pages * page);
      break;
    case 6:
      yield* thread.mmap({
        address: at,
        length: pages * page,
        protection: RW,
        sharing: roll(2) === 0 ? "private" : "shared",
        placement: "fixed",
      });
      break;
    default:
      for (let index = 0; index < pages; index++) {
        yield* roll(2) === 0 ? thread.store(at + index * page, index) : thread.load(at + index * page);
      }
  }
}

/**
 * A life of random calls; every so often the process forks. Where tasks run until they sleep, the books are compared all
 * along; where they interleave, only in the end, since somebody is half-way at any time before.
 *
 * @param refuseOneIn one allocation in so many is refused, by chance; 0 for none
 */
export function live(seed: number, refuseOneIn: number, chooser: Chooser = runToBlock): void {
  const roll = dice(seed);
  const refusing = dice(seed + 0x1000);
  let isShort = false;
  const gate = { mayAllocate: () => !isShort || refusing(refuseOneIn) > 0 };
  const world = buildCounted(gate, { ramPages: 256, chooser });
  const { machine } = world;
  const before = takeStock(machine);
  function* run(thread: UserThread, depth: number): Sleepable<void> {
    const children: Process[] = [];
    for (let turn = 0; turn < STEPS; turn++) {
      isShort = refuseOneIn > 0;
      yield* step(thread, world, roll);
      if (turn % 20 === 19 && depth < 1) {
        const child = yield* thread.fork((own) => run(own, depth + 1));
        if (typeof child !== "number") children.push(child);
      }
      isShort = false;
      if (turn % 10 === 9 && !chooser.interleaves) expectCounts(world);
    }
    for (const child of children) yield* child.waitForEnd();
  }
  machine.spawn("life", (thread) => run(thread, 0));
  runPrograms(machine, before);
  expect({ seed, areas: world.areas(), uses: world.module.uses }).toEqual({ seed, areas: 0, uses: 0 });
}
