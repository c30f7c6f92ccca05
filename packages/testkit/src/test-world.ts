import {
  type BackingKind,
  createKernel,
  type Kernel,
  Machine,
  type MachineOptions,
  type MappingStrategy,
  type Program,
} from "@nopage/core";
import { runPrograms } from "./run-programs.ts";
import { type ShownMemory, showMemory } from "./shown-memory.ts";
import { takeStock } from "./stock.ts";
import { createTestDevice, type TestDevice } from "./test-device.ts";

/** What a test world is made of; four pages and a small machine when left out. */
export interface TestWorldShape {
  readonly strategy: MappingStrategy;
  readonly backing: BackingKind;
  readonly pages?: number;
  readonly machine?: MachineOptions;
}

/** A machine with one test device, whose memory is marked and whose driver is a module. */
export interface TestWorld {
  readonly machine: Machine;
  readonly kernel: Kernel;
  readonly device: TestDevice;
  readonly shown: ShownMemory;
  /**
   * Runs a user program, and whatever it starts, to the end.
   *
   * @throws what the program threw, and when anything is left over: see `runPrograms`
   */
  run(program: Program): void;
}

/** Builds a machine and shows memory on it through a strategy. */
export function createTestWorld(shape: TestWorldShape): TestWorld {
  const { strategy, backing, pages = 4 } = shape;
  const machine = new Machine({ ramPages: 96, ...shape.machine });
  const kernel = createKernel(machine);
  const shown = showMemory(machine, backing, pages);
  const owner = machine.devices.loadModule("test");
  if (typeof owner === "number") throw new RangeError("no memory for the test driver's module");
  const device = createTestDevice(machine, kernel, strategy, { memory: shown.memory, pages, owner });
  const before = takeStock(machine);
  return {
    machine,
    kernel,
    device,
    shown,
    run(program) {
      machine.spawn("program", program);
      runPrograms(machine, before);
    },
  };
}
