import {
  type Atomic,
  type Backing,
  type BackingMemory,
  type Kernel,
  type Machine,
  type MappableArea,
  type MappingBinding,
  type MappingStrategy,
  type Pfn,
  type UserThread,
  VM_READ,
} from "@nopage/core";
import { expect, it } from "vitest";
import { kernelThread, missedOutcomes, type Outcome } from "../../support/missed-outcomes.ts";

const supports = {
  populate: "lazy",
  backing: ["pfn-run"],
  whileRevoked: "wait",
  mremapGrow: false,
  holes: false,
  largeLeaves: false,
  countsPages: [],
  privateWritable: ["pfn-run"],
} as const;

const memory: BackingMemory = { kind: "pfn-run", pfn: 50 as Pfn };

/** A device of two pages whose areas are shown by a strategy with this mmap hook. */
function device(
  machine: Machine,
  kernel: Kernel,
  mmap: (area: MappableArea, backing: Backing) => ReturnType<ReturnType<MappingStrategy["create"]>["mmap"]>,
): MappingBinding {
  const inode = machine.devices.register("/dev/card", {
    name: "card",
    owner: undefined,
    mmap: (_file, area) => binding.mmap(area),
  });
  if (typeof inode === "number") throw new Error(`register answered ${inode}`);
  const strategy: MappingStrategy = { name: "of the test", supports, create: () => ({ mmap }) };
  const binding = kernel.bind(strategy, {
    name: "card",
    memory,
    pages: 2,
    cache: "cached",
    mapping: inode.mapping,
  });
  return binding;
}

/** A process that maps the device's second page while something else goes on. */
function mapper(machine: Machine, outcome: Outcome, meanwhile: () => Atomic<void>): void {
  machine.spawn("process", function* (thread: UserThread) {
    const descriptor = yield* thread.open({ path: "/dev/card", mode: "read-write", blocking: "blocking" });
    yield* meanwhile();
    const request = { descriptor, pgoff: 1, length: 4096, protection: VM_READ, sharing: "shared" } as const;
    const answer = yield* thread.mmap(request);
    outcome["mmap"] = answer < 0 ? answer : "mapped";
  });
}

/** What mmap may answer, of all outcomes that were reached. */
function answers(reached: readonly string[]): readonly string[] {
  return [...new Set(reached.map((outcome) => /"mmap":([^,}]*)/.exec(outcome)?.[1] ?? "none"))].sort();
}

const lazily = () => ({ name: "of the test" });

it("an mmap MUST be tried before and after the device goes", () => {
  const { missed, reached, isComplete } = missedOutcomes(
    (machine, kernel, outcome) => {
      const binding = device(machine, kernel, lazily);
      mapper(machine, outcome, function* () {
        kernelThread(machine, "remover", () => binding.remove());
      });
    },
    { random: 300 },
  );
  expect(missed).toEqual([]);
  expect({ answers: answers(reached), isComplete }).toEqual({
    answers: ['"mapped"', "-19"],
    isComplete: true,
  });
});

it("an mmap of the last page MUST be tried before and after the object shrinks", () => {
  const { missed, reached, isComplete } = missedOutcomes(
    (machine, kernel, outcome) => {
      const binding = device(machine, kernel, lazily);
      mapper(machine, outcome, function* () {
        kernelThread(machine, "shrinker", () => binding.replace(memory, 1, function* () {}));
      });
    },
    { random: 300 },
  );
  expect(missed).toEqual([]);
  expect({ answers: answers(reached), isComplete }).toEqual({
    answers: ['"mapped"', "-22"],
    isComplete: true,
  });
});

it("a remap MUST be tried with the gate opened before it begins and while it goes on", () => {
  const { missed, reached, isComplete } = missedOutcomes(
    (machine, kernel, outcome) => {
      const binding = device(machine, kernel, function* (area) {
        const request = { address: area.start, pfn: 50 as Pfn, pages: area.pages, leaves: "single" } as const;
        const answer = yield* kernel.mappings.remapPfnRange(area, request);
        return answer < 0 ? answer : { name: "of the test" };
      });
      mapper(machine, outcome, function* () {
        yield* binding.backing.gate.close();
        kernelThread(machine, "owner", () => binding.backing.gate.open());
      });
    },
    { random: 300 },
  );
  expect(missed).toEqual([]);
  expect({ answers: answers(reached), isComplete }).toEqual({
    answers: ['"mapped"', "-11"],
    isComplete: true,
  });
});
