import { type UserAddress, VM_READ, VM_WRITE } from "@nopage/core";
import { fastMachine, runProgram } from "./support/mapped-device.ts";
import { compare, timed } from "./support/measure.ts";
import { report } from "./support/report.ts";

// A load that the TLB serves, against a load from a plain typed array at the same random places.

const PAGES = 64;
const LOADS = 4_000_000;
const WORDS = PAGES * 1024;

const raw = new Int32Array(WORDS);
let sink = 0;

function rawLoads(): number {
  let random = 0x2545f491;
  let sum = 0;
  const ns = timed(() => {
    for (let load = 0; load < LOADS; load++) {
      random ^= random << 13;
      random ^= random >>> 17;
      random ^= random << 5;
      sum = (sum + raw[random & (WORDS - 1)]) | 0;
    }
  });
  sink += sum;
  return ns / LOADS;
}

runProgram(fastMachine(), function* (thread) {
  const address = yield* thread.mmap({
    length: PAGES * 4096,
    protection: VM_READ | VM_WRITE,
    sharing: "private",
  });
  for (let page = 0; page < PAGES; page++) yield* thread.store(address + page * 4096, page);
  for (let page = 0; page < PAGES; page++) yield* thread.load(address + page * 4096);
  const { memory } = thread;
  const hits = (): number => {
    let random = 0x2545f491;
    let sum = 0;
    const ns = timed(() => {
      for (let load = 0; load < LOADS; load++) {
        random ^= random << 13;
        random ^= random >>> 17;
        random ^= random << 5;
        sum = (sum + memory.hit32((address + ((random & (WORDS - 1)) << 2)) as UserAddress)) | 0;
      }
    });
    sink += sum;
    return ns / LOADS;
  };
  const { subjectNs, baselineNs, ratio } = compare(hits, rawLoads);
  report([
    { what: "raw typed-array load", measured: baselineNs, unit: "ns" },
    { what: "load that hits the TLB", measured: subjectNs, unit: "ns" },
    { what: "ratio", measured: ratio, unit: "x", bar: { most: 2.5 } },
  ]);
});
if (sink === 0.5) console.log(sink);
