import { describe, expect, test } from "vitest";
import { seedsBelow } from "../../../../tools/exploration.ts";
import { VM_MIXEDMAP } from "../../src/contract/area-flags.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import { map, mapAnonymous, TestDevice } from "../support/test-device.ts";
import { ok, started, trapOf, World } from "../support/world.ts";

describe("the order of a removal", () => {
  test("RV-01 no CPU MUST reach a page after it was freed, over random schedules", () => {
    let met = 0;
    for (const seed of seedsBelow(200)) {
      const world = new World({ chooser: randomChooser(seed), cpus: 3 });
      world.run(function* (thread) {
        const at = yield* mapAnonymous(thread, 2);
        yield* thread.store(at, 1);
        let isUnmapped = false;
        const toucher = started(
          thread.spawn(function* (own) {
            for (let round = 0; round < 4; round++) {
              const wasUnmapped = isUnmapped;
              const seen = yield* own.load(at);
              if (typeof seen === "number") {
                expect(seen).toBe(1);
                expect(wasUnmapped).toBe(false);
                met++;
              } else expect(trapOf(seen)).toBe("SIGSEGV SEGV_MAPERR");
            }
          }),
        );
        ok(yield* thread.munmap(at, world.page));
        isUnmapped = true;
        yield* mapAnonymous(thread, 4, { populating: "populate", address: 0x100_0000 });
        yield* thread.nanosleep(10);
        expect(toucher.task.state).toBe("done");
      });
      world.finish();
    }
    expect(met).toBeGreaterThan(20);
  });

  test.each(["bare pfns only", "bare pfns among pages"])(
    "RV-02 an unmapMappingRange that finds nothing MUST NOT return while another CPU has stale translations: %s",
    (kind) => {
      for (const seed of seedsBelow(150)) {
        const world = new World({ chooser: randomChooser(seed), cpus: 3 });
        const device: TestDevice = new TestDevice(world, {
          ioPages: 1,
          ops: { nopagePfn: () => ({ kind: "pfn", pfn: device.ioPfn }) },
          mmap: (area) => {
            area.flags |= kind === "bare pfns only" ? 0x400 : VM_MIXEDMAP;
            return 0;
          },
        });
        let isQuiet = false;
        world.run(function* (thread) {
          const at = yield* map(thread, device, { pages: 1 });
          yield* thread.store(at, 1);
          world.machine.sched.spawn(
            { name: "revoker", kind: "kernel", cpu: 2 },
            (function* () {
              while (!isQuiet) {
                yield* world.kernel.mappings.unmapMappingRange(device.inode.mapping, 0, 0, "even-cows");
                isQuiet = device.inode.mapping.size === 0;
              }
            })(),
          );
          thread.spawn(function* (own) {
            for (let round = 0; round < 12; round++) {
              const before = device.registers.accesses.length;
              const wasQuiet = isQuiet;
              yield* own.load(at);
              if (wasQuiet) expect(device.registers.accesses.length).toBe(before);
            }
          });
          ok(yield* thread.munmap(at, world.page));
        });
        world.finish();
      }
    },
  );

  test("LC-20 close MUST be able to run while another area of the same mm faults", () => {
    let together = 0;
    for (const seed of seedsBelow(100)) {
      const world = new World({ chooser: randomChooser(seed) });
      let isClosing = false;
      const closing = new TestDevice(world, {
        path: "/dev/closing",
        pages: 1,
        ops: {
          *close() {
            isClosing = true;
            yield* world.kernel.time.sleep(1);
            isClosing = false;
          },
        },
      });
      const other = new TestDevice(world, {
        path: "/dev/other",
        pages: 1,
        ops: {
          nopage: () => {
            if (isClosing) together++;
            return { kind: "sigbus" };
          },
        },
      });
      world.run(function* (thread) {
        const one = yield* map(thread, closing);
        const two = yield* map(thread, other);
        thread.spawn(function* (own) {
          for (let round = 0; round < 3; round++) yield* own.load(two);
        });
        ok(yield* thread.munmap(one, world.page));
      });
      world.finish();
    }
    expect(together).toBeGreaterThan(0);
  });
});
