import {
  type AllocationGate,
  createKernel,
  EAGAIN,
  EFAULT,
  ENOMEM,
  isGenerator,
  Machine,
  type MappingStrategy,
  type PinningPolicy,
  type Sleepable,
  type UserThread,
  VM_READ,
  VM_WRITE,
} from "@nopage/core";
import {
  encodeRequest,
  HIGHWAY_ACQUIRE,
  HIGHWAY_PATH,
  highwayDriver,
  type LoadedHighway,
  REGION_BYTES,
} from "@nopage/device-highway";
import { eagerRemap } from "@nopage/eager-remap";
import { lazyNopage } from "@nopage/lazy-nopage";
import { noneInterval, noneNotifier } from "@nopage/notifier-mirror";
import { pageLookup } from "@nopage/page-lookup";
import { pfnNopage } from "@nopage/pfn-nopage";
import * as policies from "@nopage/pinning";
import { describe, expect, it } from "vitest";
import { failEveryAllocation } from "../src/index.ts";

const RW = VM_READ | VM_WRITE;
const strategies = [eagerRemap, lazyNopage, pageLookup, pfnNopage];
const shown = strategies.flatMap((strategy) =>
  strategy.supports.backing.map((backing) => [strategy.name, backing, strategy] as const),
);
const pinning = (Object.values(policies) as PinningPolicy[]).filter(({ name }) => name !== undefined);

function build(allocations: AllocationGate) {
  const machine = new Machine({ ramPages: 160, allocations });
  return { machine, kernel: createKernel(machine) };
}

type World = ReturnType<typeof build>;

/** `insmod`. */
function* load(
  { kernel }: World,
  strategy: MappingStrategy,
  policy: PinningPolicy,
  options = {},
): Sleepable<LoadedHighway | number> {
  const answer = highwayDriver.load({ kernel, strategy, pinning: policy, options });
  return isGenerator(answer) ? yield* answer : answer;
}

function loaded(answer: LoadedHighway | number): LoadedHighway {
  if (typeof answer === "number") throw new Error(`load answered ${answer}`);
  return answer;
}

function* open(thread: UserThread): Sleepable<number> {
  return yield* thread.open({ path: HIGHWAY_PATH, mode: "read-write", blocking: "blocking" });
}

describe("the Highway driver with each of its allocations refused", () => {
  it.each(shown)(
    "%s showing %s: a load MUST be ENOMEM and leave no name, window, interrupt or module",
    (_name, backing, strategy) => {
      const trials = failEveryAllocation({
        name: "load",
        build,
        *program({ world, inject, refused }) {
          const { machine } = world;
          const answer = yield* inject(() => load(world, strategy, policies.refcount, { backing }));
          if (refused() === undefined) expect(yield* loaded(answer).unload()).toBe(0);
          else expect(answer).toBe(-ENOMEM);
          expect(machine.devices.paths()).toEqual([]);
          expect(machine.pci.functions()).toEqual([]);
          expect(machine.memory.io.list()).toEqual([]);
          expect(machine.devices.modules.filter(({ isLoaded }) => isLoaded)).toEqual([]);
          return 0;
        },
      });
      expect(trials.map(({ site }) => site)).toEqual(
        expect.arrayContaining([
          "load_module",
          "pci_alloc_dev",
          "alloc_inode",
          "request_irq",
          "kthread_create",
          "cdev_add",
          "pci_register_driver",
        ]),
      );
    },
  );

  it.each(shown)(
    "%s showing %s: open and mmap MUST be ENOMEM, or EAGAIN where all is mapped at once (RE-05)",
    (_name, backing, strategy) => {
      const trials = failEveryAllocation({
        name: "mmap",
        build,
        *program({ world, thread, inject, refused }) {
          const driver = loaded(yield* load(world, strategy, policies.refcount, { backing }));
          const request = { length: REGION_BYTES, protection: RW, sharing: "shared" } as const;
          const result = yield* inject(function* () {
            const descriptor = yield* open(thread);
            if (descriptor < 0) return descriptor;
            const address = yield* thread.mmap({ ...request, descriptor });
            yield* thread.close(descriptor);
            return address;
          });
          expect(result > 0).toBe(refused() === undefined);
          expect(driver.module.uses).toBe(result > 0 ? 1 : 0);
          if (result > 0) yield* thread.munmap(result, REGION_BYTES);
          expect(yield* driver.unload()).toBe(0);
          return result;
        },
      });
      const expected = strategy.supports.populate === "eager" ? [-ENOMEM, -EAGAIN] : [-ENOMEM];
      expect([...new Set(trials.map(({ answer }) => answer))]).toEqual(expected);
    },
  );

  it.each([...pinning, noneNotifier, noneInterval].map((policy) => [policy.name, policy] as const))(
    "pinning by %s: an acquisition MUST be an error or moves every byte, and the next one does",
    (_name, policy) => {
      const trials = failEveryAllocation({
        name: "acquire",
        build,
        *program({ world, thread, inject, refused }) {
          const driver = loaded(yield* load(world, lazyNopage, policy));
          const samples = Uint8Array.from({ length: 10_000 }, (_, at) => (at * 7) % 251);
          driver.card?.feed(0, { bytes: samples, sampleRateHz: undefined });
          const descriptor = yield* open(thread);
          const memory = yield* thread.mmap({ length: 16_384, protection: RW, sharing: "private" });
          const scratch = yield* thread.mmap({ length: 4096, protection: RW, sharing: "private" });
          const order = { buffer: memory + 100, bytes: samples.length, interface: 0 };
          yield* thread.storeBlock(scratch, encodeRequest(order));
          const got = yield* inject(() => thread.ioctl(descriptor, HIGHWAY_ACQUIRE, scratch));
          if (refused() === undefined) expect(got).toBe(samples.length);
          else expect([-ENOMEM, -EFAULT, samples.length]).toContain(got);
          if (got < 0) {
            driver.card?.feed(0, { bytes: samples, sampleRateHz: undefined });
            expect(yield* thread.ioctl(descriptor, HIGHWAY_ACQUIRE, scratch)).toBe(samples.length);
          }
          expect(yield* thread.loadBlock(order.buffer, samples.length)).toEqual(samples);
          yield* thread.munmap(memory, 16_384);
          yield* thread.munmap(scratch, 4096);
          yield* thread.close(descriptor);
          expect(yield* driver.unload()).toBe(0);
          return got;
        },
      });
      expect(trials.some(({ answer }) => answer < 0)).toBe(true);
    },
  );
});
