import type { Machine } from "@nopage/core";
import type { BackingMemory, Pfn } from "@nopage/core/contract";
import { eagerRemap } from "@nopage/eager-remap";
import { claimIo, fastMachine, mapDevice, runProgram, showDevice } from "./support/mapped-device.ts";
import { median } from "./support/measure.ts";
import { report } from "./support/report.ts";

// Mapping everything at mmap: 1 GiB in single pages (the frames are off by one page, so that no large leaf fits), and
// 1 TiB in large leaves.

const ROUNDS = 9;
/** Fresh machines: the first mmap of each takes memory that was never a page table. */
const MACHINES = 5;

interface Eager {
  /** The first mmap of a machine, in nanoseconds: its tables are new memory. */
  readonly cold: number;
  /** Later ones: their tables were used before. */
  readonly warm: number;
  /** Bytes of page tables while mapped. */
  readonly tableBytes: number;
}

function measure(pages: number, memory: (machine: Machine) => BackingMemory): Eager {
  const cold: number[] = [];
  const warm: number[] = [];
  let tableBytes = 0;
  for (let count = 0; count < MACHINES; count++) {
    const machine = fastMachine({ ramPages: 64 });
    showDevice(machine, { strategy: eagerRemap, pages, memory });
    runProgram(machine, function* (thread) {
      const before = machine.tables.tablesInUse;
      for (let round = 0; round <= ROUNDS; round++) {
        const start = process.hrtime.bigint();
        const address = yield* mapDevice(thread, pages);
        (round === 0 ? cold : warm).push(Number(process.hrtime.bigint() - start));
        tableBytes = (machine.tables.tablesInUse - before) * 8 * 2 ** machine.tables.entryBits;
        yield* thread.munmap(address, pages * 4096);
      }
    });
  }
  return { cold: median(cold), warm: median(warm), tableBytes };
}

const GIB = 2 ** 18;
const single = measure(GIB, (machine) => ({ kind: "pfn-run", pfn: (claimIo(machine, GIB * 2) + 1) as Pfn }));
const TIB = 2 ** 28;
const large = measure(TIB, (machine) => ({ kind: "pfn-run", pfn: claimIo(machine, TIB) as Pfn }));
report([
  {
    what: "1 GiB in single pages, new tables",
    measured: single.cold / GIB,
    unit: "ns a page",
    bar: { most: 10 },
  },
  {
    what: "1 GiB in single pages, used tables",
    measured: single.warm / GIB,
    unit: "ns a page",
    bar: { most: 10 },
  },
  { what: "page tables of it", measured: single.tableBytes / GIB, unit: "bytes a page", bar: { most: 8.1 } },
  { what: "1 TiB in large leaves", measured: large.warm / 1e6, unit: "ms", bar: { most: 20 } },
]);
