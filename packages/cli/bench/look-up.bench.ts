import { VM_READ } from "@nopage/core";
import type { Pfn } from "@nopage/core/contract";
import { lazyNopage } from "@nopage/lazy-nopage";
import { claimIo, fastMachine, runProgram, showDevice } from "./support/mapped-device.ts";
import { medianOf, timed } from "./support/measure.ts";
import { type Bar, report } from "./support/report.ts";

// Finding an area by address and by what it shows, as the number of areas grows.

const LOOK_UPS = 200_000;

function measureAt(areas: number): { readonly byAddress: number; readonly byPage: number } {
  const machine = fastMachine({ maxAreas: areas + 100, tlbEntries: 256 });
  const memory = () => ({ kind: "pfn-run", pfn: claimIo(machine, areas) as Pfn }) as const;
  showDevice(machine, { strategy: lazyNopage, pages: areas, memory });
  const result = { byAddress: 0, byPage: 0 };
  runProgram(machine, function* (thread) {
    const descriptor = yield* thread.open({ path: "/dev/bench", mode: "read-write", blocking: "blocking" });
    const addresses: number[] = [];
    for (let page = 0; page < areas; page++) {
      addresses.push(
        yield* thread.mmap({ length: 4096, protection: VM_READ, sharing: "shared", descriptor, pgoff: page }),
      );
    }
    const { mm } = thread;
    const mapping = mm.areas.find(addresses[0])?.mapping;
    let found = 0;
    const walk = (look: (index: number) => unknown) => () => {
      let random = 0x2545f491;
      return (
        timed(() => {
          for (let count = 0; count < LOOK_UPS; count++) {
            random ^= random << 13;
            random ^= random >>> 17;
            random ^= random << 5;
            if (look((random >>> 0) % areas) !== undefined) found++;
          }
        }) / LOOK_UPS
      );
    };
    result.byAddress = medianOf(walk((index) => mm.areas.find(addresses[index])));
    result.byPage = medianOf(walk((index) => mapping?.areasShowing(index, 1)[0]));
    if (found === 0) throw new Error("nothing was found");
    for (const address of addresses) yield* thread.munmap(address, 4096);
    yield* thread.close(descriptor);
  });
  return result;
}

const bars: Bar[] = [];
for (const areas of [256, 4096, 65_536]) {
  const { byAddress, byPage } = measureAt(areas);
  const bar = areas === 65_536 ? { bar: { most: 1000 } } : {};
  bars.push({ what: `area by address, ${areas} areas`, measured: byAddress, unit: "ns", ...bar });
  bars.push({ what: `areas by object page, ${areas} areas`, measured: byPage, unit: "ns", ...bar });
}
report(bars);
