import type { KernelAddress, MappingStrategy } from "@nopage/core";
import { isTrap, type Machine, owners } from "@nopage/core";
import type { BackingMemory, Pfn } from "@nopage/core/contract";
import { lazyNopage } from "@nopage/lazy-nopage";
import { pageLookup } from "@nopage/page-lookup";
import { pfnNopage } from "@nopage/pfn-nopage";
import { kernelFaultNs } from "./support/kernel-faults.ts";
import { claimIo, fastMachine, mapDevice, runProgram, showDevice } from "./support/mapped-device.ts";
import { median } from "./support/measure.ts";
import { type Bar, report } from "./support/report.ts";

// The first touch of a page through each strategy that maps at the first touch, run to block and with all accounting,
// against a map-only minor fault of the kernel that this machine runs.

const PAGES = 65_536;
const ROUNDS = 15;
const WARM_UP = 4;

function faultNs(
  strategy: MappingStrategy,
  ramPages: number,
  memory: (machine: Machine) => BackingMemory,
): number {
  const machine = fastMachine({ ramPages });
  showDevice(machine, { strategy, pages: PAGES, memory });
  const rounds: number[] = [];
  runProgram(machine, function* (thread) {
    for (let round = -WARM_UP; round < ROUNDS; round++) {
      const address = yield* mapDevice(thread, PAGES);
      const start = process.hrtime.bigint();
      for (let page = 0; page < PAGES; page++) {
        if (isTrap(yield* thread.load(address + page * 4096))) throw new Error("a touch trapped");
      }
      const ns = Number(process.hrtime.bigint() - start) / PAGES;
      if (round >= 0) rounds.push(ns);
      yield* thread.munmap(address, PAGES * 4096);
    }
  });
  return median(rounds);
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

const measured: readonly (readonly [string, number])[] = [
  ["lazy-nopage, I/O memory", faultNs(lazyNopage, 64, ioRun)],
  ["pfn-nopage, I/O memory", faultNs(pfnNopage, 64, ioRun)],
  ["lazy-nopage, pages", faultNs(lazyNopage, PAGES + 256, pageArray)],
  ["page-lookup, vmalloc", faultNs(pageLookup, PAGES + 256, vmallocArea)],
];
const kernel = kernelFaultNs(PAGES);
const bars: Bar[] = measured.map(([what, ns], index) => ({
  what,
  measured: ns,
  unit: "ns",
  ...(index === 0 ? { bar: { most: 150 } } : {}),
}));
if ("ns" in kernel) {
  bars.push({ what: "map-only minor fault of this kernel", measured: kernel.ns, unit: "ns" });
  for (const [index, [what, ns]] of measured.entries()) {
    const bar = index === 0 ? { bar: { least: 8 } } : {};
    bars.push({ what: `cheaper than the kernel: ${what}`, measured: kernel.ns / ns, unit: "x", ...bar });
  }
} else {
  console.log(`No comparison with a real kernel: ${kernel.missing}.`);
}
report(bars);
