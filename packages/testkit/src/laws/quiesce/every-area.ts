import { type Area, type Sleepable, VM_PFNMAP } from "@nopage/core";
import { must, mustBe, SIGBUS, succeed } from "../../program/expect.ts";
import { user } from "../../program/user.ts";
import { showMemory } from "../../shown-memory.ts";
import { createTestDevice } from "../../test-device.ts";
import type { LawCase } from "../law.ts";
import { objectAt } from "../support/entries-showing.ts";
import { mapPlanted, plantDevice, setOps } from "../support/planted-device.ts";

/** For QU-11: who visits every area of an object holds each process's lock, and meets none that has gone meanwhile. */
export const visitingCases: readonly LawCase[] = [
  {
    when: "an area that is unmapped while another is visited",
    schedule: "sequential",
    executor: "model",
    kinds: "one",
    *program({ subject: { pageSize } }) {
      const device = yield* emptyDevice();
      const own = yield* succeed("mmap", mapPlanted(device, pageSize));
      const other = yield* user.process(function* () {
        const address = yield* succeed("mmap", mapPlanted(device, pageSize));
        yield* user.sleep(1000);
        yield* succeed("munmap", user.munmap(address, pageSize));
        yield* user.sleep(1000);
      });
      yield* user.sleep(500);
      const visited: Area[] = [];
      const object = yield* objectAt(own);
      yield* user.kernel(({ kernel }) =>
        kernel.mappings.forEachArea(object, function* (area): Sleepable<void> {
          must(area.mm.lock.isHeldByCurrent, "an area is visited without its process's mmap lock");
          visited.push(area);
          yield* kernel.time.sleep(1000);
        }),
      );
      mustBe(
        "where the areas that are visited begin",
        visited.map(({ start }) => start),
        [own],
      );
      yield* user.join(other);
    },
  },
  {
    when: "a visit that fails",
    schedule: "sequential",
    executor: "model",
    kinds: "one",
    *program({ subject: { pageSize } }) {
      const device = yield* emptyDevice();
      const addresses: number[] = [];
      for (let count = 0; count < 3; count++) {
        addresses.push(yield* succeed("mmap", mapPlanted(device, pageSize)));
      }
      const object = yield* objectAt(addresses[0] ?? 0);
      const visited: number[] = [];
      const failures = yield* user.kernel(function* ({ kernel, thread }): Sleepable<readonly unknown[]> {
        try {
          yield* kernel.mappings.forEachArea(object, function* ({ start }): Sleepable<void> {
            visited.push(start);
            throw new Error(`no ${visited.length}`);
          });
        } catch (cause) {
          return [String(cause), thread.mm.lock.isHeldByCurrent];
        }
        return [];
      });
      mustBe("what comes out, and whether the mmap lock is still held", failures, ["Error: no 1", false]);
      mustBe("where the areas that are visited begin", visited, addresses);
      mustBe("a load afterwards", yield* user.load(addresses[2] ?? 0), SIGBUS);
    },
  },
];

/** For QU-07: what was not taken away cannot be given back. */
export const overgivenCase: LawCase = {
  when: "giving back what was not taken",
  schedule: "sequential",
  executor: "model",
  excluded: ({ tried }) => (tried === undefined ? "no strategy is tried" : undefined),
  *program({ tried }) {
    if (tried === undefined) return;
    const { binding, shown } = yield* user.kernel(function* ({ machine, kernel }) {
      const shown = showMemory(machine, tried.backing, 1);
      const path = "/dev/overgiven";
      const { memory } = shown;
      const device = createTestDevice(machine, kernel, tried.strategy, { path, memory, pages: 1 });
      return { binding: device.binding, shown };
    });
    const resume = () =>
      user.kernel(function* (): Sleepable<string> {
        try {
          yield* binding.resume();
        } catch (cause) {
          return String(cause);
        }
        return "it is given back";
      });
    for (let round = 0; round < 2; round++) {
      const said = yield* resume();
      must(said.includes("opened more often than it was closed"), `what comes of giving it back is: ${said}`);
      mustBe("the gate afterwards", binding.backing.gate.state, "open");
      yield* user.kernel(() => binding.quiesce());
      mustBe("the gate once it is taken away", binding.backing.gate.state, "closed");
      mustBe("what comes of giving it back", yield* resume(), "it is given back");
    }
    yield* user.kernel(() => binding.remove());
    yield* user.kernel(function* () {
      shown.release();
    });
  },
};

/** A device that can be mapped and shows nothing. */
function emptyDevice(): ReturnType<typeof plantDevice> {
  return plantDevice("/dev/visited", 1, () => ({
    mmap: (_file, area) => {
      area.flags |= VM_PFNMAP;
      return setOps(area, {});
    },
  }));
}
