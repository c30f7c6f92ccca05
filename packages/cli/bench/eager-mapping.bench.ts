import type { Machine } from "@nopage/core";
import type { BackingMemory, Pfn } from "@nopage/core/contract";
import { eagerRemap } from "@nopage/eager-remap";
import { claimIo, fastMachine, mapDevice, runProgram, showDevice } from "./support/mapped-device.ts";
import { median } from "./support/measure.ts";
import { report } from "./support/report.ts";

// Mapping everything at mmap: 1 GiB in single pages (the frames are off by one page, so that no large leaf fits), and
// 1 TiB in large leaves.
//
// A first mmap is dearer than a later one for two reasons, which are told apart here: its code may not be compiled yet
// (V8 compiles it anew for the second machine of a process), and its tables may be memory that the host has never
// handed out, so that every 512 entries cost a page fault of the host.

const ROUNDS = 9;
/** Machines that run before any is counted, so that the code is compiled. */
const WARM_UP = 4;
/** Fresh machines: the first mmap of each takes memory that was never a page table. */
const MACHINES = 9;

interface Eager {
  /** The very first mmap, in nanoseconds, with code that is not compiled yet. */
  readonly first: number;
  /** The first mmap of a machine: its tables are new memory. */
  readonly fresh: number;
  /** Later ones: their tables were used before. */
  readonly used: number;
  /** Bytes of page tables while mapped. */
  readonly tableBytes: number;
}

function measure(pages: number, memory: (machine: Machine) => BackingMemory): Eager {
  const firsts: number[] = [];
  const fresh: number[] = [];
  const used: number[] = [];
  // They are kept, so that no machine is given the tables of one before it.
  const machines: Machine[] = [];
  let tableBytes = 0;
  for (let count = -WARM_UP; count < MACHINES; count++) {
    const machine = fastMachine({ ramPages: 64 });
    machines.push(machine);
    showDevice(machine, { strategy: eagerRemap, pages, memory });
    runProgram(machine, function* (thread) {
      const before = machine.tables.tablesInUse;
      for (let round = 0; round <= ROUNDS; round++) {
        const start = process.hrtime.bigint();
        const address = yield* mapDevice(thread, pages);
        const taken = Number(process.hrtime.bigint() - start);
        if (count < 0) firsts.push(taken);
        else (round === 0 ? fresh : used).push(taken);
        tableBytes = (machine.tables.tablesInUse - before) * 8 * 2 ** machine.tables.entryBits;
        yield* thread.munmap(address, pages * 4096);
      }
    });
  }
  return { first: firsts[0], fresh: median(fresh), used: median(used), tableBytes };
}

const GIB = 2 ** 18;
const single = measure(GIB, (machine) => ({ kind: "pfn-run", pfn: (claimIo(machine, GIB * 2) + 1) as Pfn }));
const TIB = 2 ** 28;
const large = measure(TIB, (machine) => ({ kind: "pfn-run", pfn: claimIo(machine, TIB) as Pfn }));
report([
  { what: "1 GiB in single pages, code not compiled yet", measured: single.first / GIB, unit: "ns a page" },
  {
    what: "1 GiB in single pages, new tables",
    measured: single.fresh / GIB,
    unit: "ns a page",
    bar: { most: 10 },
  },
  {
    what: "1 GiB in single pages, used tables",
    measured: single.used / GIB,
    unit: "ns a page",
    bar: { most: 10 },
  },
  { what: "page tables of it", measured: single.tableBytes / GIB, unit: "bytes a page", bar: { most: 8.1 } },
  { what: "1 TiB in large leaves", measured: large.used / 1e6, unit: "ms", bar: { most: 20 } },
]);
