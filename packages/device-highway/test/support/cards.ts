import type { IoRange, Kernel, PciFunction } from "@nopage/core";
import { createKernel, Machine, type MachineOptions, type Sleepable } from "@nopage/core";
import { type HighwayCard, type HighwayCardOptions, highwayIn, plugHighway } from "../../src/index.ts";
import { inKernel } from "./worlds.ts";

/** A card in a machine without a driver: the test is the driver. */
export interface CardRig {
  readonly machine: Machine;
  readonly kernel: Kernel;
  readonly plugged: PciFunction;
  readonly card: HighwayCard;
  /** BAR0. */
  readonly registers: IoRange;
  /** BAR1. */
  readonly measurements: IoRange;
  /** Interrupts that arrived, by what the status register said; each was acknowledged. */
  readonly interrupts: number[];
  run<T>(body: () => Sleepable<T>): T;
}

export function cardRig(options: HighwayCardOptions = {}, machineOptions: MachineOptions = {}): CardRig {
  const machine = new Machine({ eventLog: "on", sanitizers: "all", ...machineOptions });
  const kernel = createKernel(machine);
  const plugged = plugHighway(kernel, options);
  if (typeof plugged === "number") throw new Error(`plug answered ${plugged}`);
  const [registers, measurements] = plugged.windows as unknown as [IoRange, IoRange];
  const interrupts: number[] = [];
  plugged.interrupt.request("test", function* () {
    const status = yield* kernel.mmio.read(registers, 0x24, 4);
    if (status === 0) return "not-mine";
    yield* kernel.mmio.write(registers, 0x64, 4, status);
    interrupts.push(status);
    return "handled";
  });
  const card = highwayIn(plugged);
  if (card === undefined) throw new Error("another card is in the slot");
  return {
    machine,
    kernel,
    plugged,
    card,
    registers,
    measurements,
    interrupts,
    run: (body) => inKernel(machine, body),
  };
}

/** `bytes` bytes that differ from their neighbours near and far. */
export function pattern(bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, at) => (at * 7 + (at >> 8) * 3 + 1) & 0xff);
}
