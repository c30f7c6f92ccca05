import type { RecordedStep } from "@nopage/testkit/executor";
import { describe, expect, test } from "vitest";
import { StepObserver } from "../../src/parity/observed-step.ts";

const area = {
  ...{ start: 0x5000, end: 0x6000, pgoff: 3, name: "/dev/a", shared: true },
  ...{ rss: 1, anonymous: 0, locked: 0, flags: ["rd", "mm"] },
};
const trap = { signal: "SIGBUS", code: "BUS_ADRERR", address: 0x5008 };

function observed(...steps: readonly RecordedStep[]) {
  const observer = new StepObserver();
  for (const step of steps) observer.note("line", step);
  return observer.steps;
}

describe("what is compared of a step", () => {
  test.each([
    ["mmap", { address: 0x5000 }, 0x5000, "the address given"],
    ["mmap", { length: 4096 }, 0x7fff_0000, "an address"],
    ["mmap", { length: 0x4000_0000 }, 0x4000_0000, "an address"],
    ["subject.long.map", [4, 0x4000_0000], 0x4000_0000, "the 1 given"],
    ["mremap", { address: 0x9000, newAddress: 0x8000 }, 0x8000, "the newAddress given"],
    ["mmap", {}, -12, "-ENOMEM"],
    ["subject.open", [], 7, "a descriptor"],
    ["subject.open", [], -6, "-ENXIO"],
    ["load", { address: 0x5000 }, trap, "SIGBUS BUS_ADRERR, 8 bytes on"],
    ["subject.reach", [0x5008], trap, "SIGBUS BUS_ADRERR"],
    ["load", { address: 0x5000 }, 21, "21"],
    ["store", { address: 0x5000 }, undefined, "done"],
    ["subject.counts", [], { mmaps: 1 }, "not compared"],
    ["smaps", {}, [area], "4096 bytes shared: rd; 1 counted, 0 of its own, 0 locked"],
    ["processVmRead", {}, new Uint8Array([1, 255]), "01ff"],
    ["pinner.pin", [], { pages: 2, descriptor: 9 }, "2 pages"],
    ["join", {}, { status: 0 }, '{"status":0}'],
  ])("%s %#", (call, given, answer, outcome) => {
    expect(observed({ actor: "main", call, given, answer })).toEqual([
      { actor: "main", call, outcome, line: "line" },
    ]);
  });

  test("time that has passed is nothing, a sleep that was cut short is", () => {
    const step = { actor: "main", call: "sleep", given: { duration: 5 } };
    expect(observed({ ...step, answer: 0 })).toEqual([]);
    expect(observed({ ...step, answer: -4 })).toMatchObject([{ outcome: "-EINTR" }]);
  });

  test("counts are compared by how they have changed, for each who looks at them", () => {
    const faults = (actor: string, minor: number) => ({
      actor,
      call: "faults",
      given: {},
      answer: { minor },
    });
    const steps = observed(faults("main", 300), faults("main", 302), faults("child", 7));
    expect(steps.map(({ outcome }) => outcome)).toEqual([
      "the first count",
      '{"minor":2}',
      "the first count",
    ]);
  });
});
