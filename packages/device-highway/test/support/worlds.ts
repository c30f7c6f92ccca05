import type { BackingKind, Kernel, MachineOptions, MappingStrategy, PinningPolicy } from "@nopage/core";
import { createKernel, isGenerator, Machine, type RunReport, type Sleepable } from "@nopage/core";
import { eagerRemap } from "@nopage/eager-remap";
import { lazyNopage } from "@nopage/lazy-nopage";
import { pageLookup } from "@nopage/page-lookup";
import { pfnNopage } from "@nopage/pfn-nopage";
import { refcount } from "@nopage/pinning";
import { type HighwayCard, type HighwayOptions, highwayDriver, type LoadedHighway } from "../../src/index.ts";

export const strategies: readonly MappingStrategy[] = [eagerRemap, lazyNopage, pageLookup, pfnNopage];

/** Every strategy with every kind of memory that it can show and the driver too. */
export const combinations: readonly (readonly [string, BackingKind, MappingStrategy])[] = strategies.flatMap(
  (strategy) => strategy.supports.backing.map((kind) => [strategy.name, kind, strategy] as const),
);

/** A machine with the Highway driver loaded, as `compose` would build it. */
export interface TestWorld {
  readonly machine: Machine;
  readonly kernel: Kernel;
  readonly driver: LoadedHighway;
  readonly card: HighwayCard;
  run(): RunReport;
}

export interface TestWorldOptions {
  readonly strategy?: MappingStrategy;
  readonly pinning?: PinningPolicy;
  readonly machine?: MachineOptions;
  readonly highway?: HighwayOptions;
}

/** Runs kernel code to its end, with whatever else can run. */
export function inKernel<T>(machine: Machine, body: () => Sleepable<T>): T {
  const task = machine.sched.spawn({ name: "insmod", kind: "kernel", cpu: 0 }, body());
  const { waiting } = machine.sched.run();
  if (task.failure !== undefined) throw task.failure;
  if (task.state !== "done") throw new Error(`stuck: ${waiting.join("; ")}`);
  return task.result as T;
}

/** Loads the driver: what it answers. */
export function load(
  machine: Machine,
  { strategy = lazyNopage, pinning = refcount, highway = {} }: TestWorldOptions = {},
): LoadedHighway | number {
  const kernel = createKernel(machine);
  return inKernel(machine, function* () {
    const answer = highwayDriver.load({ kernel, strategy, pinning, options: highway });
    return isGenerator(answer) ? yield* answer : answer;
  });
}

export function buildWorld(options: TestWorldOptions = {}): TestWorld {
  const machine = new Machine({ eventLog: "on", ...options.machine });
  const driver = load(machine, options);
  if (typeof driver === "number" || driver.card === undefined) throw new Error(`load answered ${driver}`);
  return {
    machine,
    kernel: createKernel(machine),
    driver,
    card: driver.card,
    run: () => machine.sched.run(),
  };
}

/** What a machine holds; equal before and after anything that cleans up behind itself. */
export function holdings(machine: Machine) {
  const { memory, tables, mms, devices } = machine;
  return {
    freeFrames: memory.freeFrames,
    tables: tables.tablesInUse,
    mms: mms.size,
    openFiles: devices.openFiles.size,
    uses: devices.modules.reduce((sum, { uses }) => sum + uses, 0),
    failures: machine.sched.tasks.map(({ failure }) => failure).filter((failure) => failure !== undefined),
    violations: machine.violations.list,
  };
}
