import { describe, expect, test } from "vitest";
import { type MachineOptions, settle } from "../../src/machine-options.ts";
import { checkMachine, machineShape } from "../../src/wiring/machine-shape.ts";
import { describeProblem } from "../../src/wiring/problem.ts";

const samples = [
  -1,
  0,
  1,
  1.5,
  2,
  3,
  7,
  8,
  31,
  32,
  256,
  65_536,
  131_072,
  2 ** 31,
  2 ** 31 + 1,
  "2",
  Number.NaN,
];
const numeric = [
  "cpus",
  "ramPages",
  "pagelessPages",
  "stepLimit",
  "tlbEntries",
  "maxAreas",
  "lockLimitPages",
] as const;

function machineAccepts(options: MachineOptions): boolean {
  try {
    settle(options);
    return true;
  } catch (failure) {
    if (failure instanceof RangeError) return false;
    throw failure;
  }
}

describe("the options of a machine", () => {
  test.each(numeric)("%s has the limits that the machine has", (option) => {
    for (const value of samples) {
      const shown = `${option}: ${String(value)}`;
      const accepted = machineAccepts({ [option]: value } as MachineOptions);
      expect(`${shown} ${machineShape[option].accepts(value)}`).toBe(`${shown} ${accepted}`);
    }
  });

  test("every problem is told at once", () => {
    const problems = checkMachine({
      cpus: 32,
      geometry: "x86_64",
      ramPage: 9,
      tlbEntries: 100,
      eventLog: true,
    });
    expect(problems.map(describeProblem)).toEqual([
      'machine.cpus: found 32; expected a whole number from 1 to 31; nearest choice: "31"',
      'machine.geometry: found "x86_64"; expected one of "x86-64", "i386", "alpha", "arm64-64k"; nearest choice: "x86-64"',
      'machine.ramPage: found 9; expected another key: one of "geometry", "cpus", "interruptCpu", "ramPages", "pagelessPages", "coherentMemory", "reservedPages", "chooser", "stepLimit", "eventLog", "sanitizers", "reports", "checkAccesses", "dataCache", "cacheFlushes", "tlbEntries", "maxAreas", "lockLimitPages", "allocations"; nearest choice: "ramPages"',
      'machine.tlbEntries: found 100; expected a power of two from 1 to 65536; nearest choice: "128"',
      'machine.eventLog: found true; expected "on" or "off"',
    ]);
  });

  test("options that do not fit each other are told as well", () => {
    expect(checkMachine({ coherentMemory: "without-page" }).map(describeProblem)).toEqual([
      "machine.pagelessPages: found nothing; expected a whole number of at least 1, because coherentMemory is without-page",
    ]);
    expect(checkMachine({ cpus: 3, interruptCpu: 3 }).map(describeProblem)).toEqual([
      'machine.interruptCpu: found 3; expected one of the machine\'s CPUs, a whole number from 0 to 2; nearest choice: "2"',
    ]);
    expect(checkMachine({ geometry: "arm64-64k", ramPages: 32_768 }).map(describeProblem)).toEqual([
      'machine.ramPages: found 32768; expected at most 32767 pages of RAM in all, which is 2 GiB on arm64-64k; nearest choice: "32767"',
    ]);
  });

  test("what is no object of options is called that", () => {
    expect(checkMachine("fast").map(describeProblem)).toEqual([
      'machine: found "fast"; expected an object with options',
    ]);
    expect(checkMachine(undefined)).toEqual([]);
  });
});
