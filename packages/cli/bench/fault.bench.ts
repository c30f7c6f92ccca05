import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { KernelAddress, MappingStrategy, Sleepable, UserAddress, UserThread } from "@nopage/core";
import { isTrap, type Machine, owners } from "@nopage/core";
import type { BackingMemory, Pfn } from "@nopage/core/contract";
import { lazyNopage } from "@nopage/lazy-nopage";
import { pageLookup } from "@nopage/page-lookup";
import { pfnNopage } from "@nopage/pfn-nopage";
import { kernelFaultNs } from "./support/kernel-faults.ts";
import { claimIo, fastMachine, mapDevice, runProgram, showDevice } from "./support/mapped-device.ts";
import { median, timed } from "./support/measure.ts";
import { type Bar, report } from "./support/report.ts";

// The first touch of a page through each strategy that maps at the first touch, run to block and with all accounting,
// against a map-only minor fault of the kernel that this machine runs. Each strategy has a process of its own, as a world
// has one strategy: in one process the compiler would make code for all of them out of what it saw of the first.

const PAGES = 65_536;
const ROUNDS = 15;
const WARM_UP = 5;

interface FaultTimes {
  /** Through `thread.memory.load`, which makes no generator where nothing waits. */
  readonly direct: number;
  /** Through `thread.load`, the generator that programs delegate to. */
  readonly delegated: number;
}

/** The median nanoseconds of a first touch, its restarted access included. */
function faultTimes(
  strategy: MappingStrategy,
  ramPages: number,
  memory: (machine: Machine) => BackingMemory,
): FaultTimes {
  const machine = fastMachine({ ramPages });
  showDevice(machine, { strategy, pages: PAGES, memory });
  const direct: number[] = [];
  const delegated: number[] = [];
  runProgram(machine, function* (thread) {
    for (let round = -WARM_UP; round < ROUNDS; round++) {
      let address = yield* mapDevice(thread, PAGES);
      const one = timed(() => touchDirectly(thread, address)) / PAGES;
      yield* thread.munmap(address, PAGES * 4096);
      address = yield* mapDevice(thread, PAGES);
      const start = process.hrtime.bigint();
      yield* touch(thread, address);
      const other = Number(process.hrtime.bigint() - start) / PAGES;
      yield* thread.munmap(address, PAGES * 4096);
      if (round < 0) continue;
      direct.push(one);
      delegated.push(other);
    }
  });
  return { direct: median(direct), delegated: median(delegated) };
}

function touchDirectly({ memory }: UserThread, address: number): void {
  for (let page = 0; page < PAGES; page++) {
    if (typeof memory.load((address + page * 4096) as UserAddress, 4) !== "number") {
      throw new Error("a touch trapped or had to wait");
    }
  }
}

function* touch(thread: UserThread, address: number): Sleepable<void> {
  for (let page = 0; page < PAGES; page++) {
    if (isTrap(yield* thread.load(address + page * 4096))) throw new Error("a touch trapped");
  }
}

const ioRun = (machine: Machine): BackingMemory => ({ kind: "pfn-run", pfn: claimIo(machine, PAGES) as Pfn });
const pageArray = (machine: Machine): BackingMemory => ({
  kind: "page-array",
  list: Array.from({ length: PAGES }, () => machine.memory.pages.allocPage(owners.driver)),
});
const vmallocArea = (machine: Machine): BackingMemory => ({
  kind: "vmalloc",
  address: machine.memory.vmalloc.vmallocUser(PAGES * 4096) as KernelAddress,
});

const measurements: readonly (readonly [string, () => FaultTimes])[] = [
  ["lazy-nopage, I/O memory", () => faultTimes(lazyNopage, 64, ioRun)],
  ["pfn-nopage, I/O memory", () => faultTimes(pfnNopage, 64, ioRun)],
  ["lazy-nopage, pages", () => faultTimes(lazyNopage, PAGES + 256, pageArray)],
  ["page-lookup, vmalloc", () => faultTimes(pageLookup, PAGES + 256, vmallocArea)],
];

/** One of them in a process of its own. */
function measuredApart(index: number): FaultTimes {
  const file = fileURLToPath(import.meta.url);
  const child = spawnSync(process.execPath, [...process.execArgv, file, String(index)], { encoding: "utf8" });
  if (child.status !== 0) throw new Error(`measurement ${index} ended with ${child.status}: ${child.stderr}`);
  return JSON.parse(child.stdout) as FaultTimes;
}
function reportAll(): void {
  const kernel = kernelFaultNs(PAGES);
  const bars: Bar[] = [];
  for (const [index, [what]] of measurements.entries()) {
    const { direct, delegated } = measuredApart(index);
    // The bars are for the fault; what `thread.load` adds is the making of a generator.
    const isBarred = index === 0;
    bars.push({ what, measured: direct, unit: "ns", ...(isBarred ? { bar: { most: 150 } } : {}) });
    bars.push({ what: `${what}, through thread.load`, measured: delegated, unit: "ns" });
    if ("missing" in kernel) continue;
    const bar = isBarred ? { bar: { least: 8 } } : {};
    bars.push({ what: `${what}, cheaper than the kernel`, measured: kernel.ns / direct, unit: "x", ...bar });
  }
  if ("ns" in kernel)
    bars.push({ what: "map-only minor fault of this kernel", measured: kernel.ns, unit: "ns" });
  else console.log(`No comparison with a real kernel: ${kernel.missing}.`);
  report(bars);
}

const [, , only] = process.argv;
if (only === undefined) reportAll();
else console.log(JSON.stringify(measurements[Number(only)][1]()));
