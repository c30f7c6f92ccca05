import { describe, expect, test } from "vitest";
import { seedsBelow } from "../../../../tools/exploration.ts";
import { VM_READ } from "../../src/contract/area-flags.ts";
import type { Pfn } from "../../src/contract/units.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import { map, TestDevice } from "../support/test-device.ts";
import { ok, runProgram, trapOf, World } from "../support/world.ts";

describe("remapMissing", () => {
  test("MUST fill what was taken away and leave what stands, in areas that were forked and split since", () => {
    for (const leaves of ["single", "large"] as const) {
      runProgram((world) => {
        const device: TestDevice = new TestDevice(world, {
          ioPages: 512,
          mmap: (area, self) => self.remap(area, leaves),
        });
        return function* (thread) {
          const at = yield* map(thread, device, { pages: 512 });
          ok(yield* thread.munmap(at + 10 * world.page, world.page));
          const { mappings } = world.kernel;
          yield* mappings.unmapMappingRange(device.inode.mapping, 5, 2, "even-cows");
          expect(trapOf(yield* thread.load(at + 6 * world.page))).toBe("SIGBUS BUS_ADRERR");
          yield* mappings.forEachArea(device.inode.mapping, function* (area) {
            const pfn = (device.ioPfn + area.pgoff) as Pfn;
            ok(yield* mappings.remapMissing(area, { address: area.start, pfn, pages: area.pages, leaves }));
          });
          for (const page of [0, 5, 6, 9, 11, 511]) {
            expect(yield* thread.load(at + page * world.page)).toBe(page * world.page);
          }
          world.expectAgreement();
        };
      });
    }
  });

  test("beside a zap MUST leave entries that are right, over random schedules", () => {
    for (const seed of seedsBelow(100)) {
      const world = new World({ chooser: randomChooser(seed) });
      const device: TestDevice = new TestDevice(world, {
        ioPages: 3,
        mmap: (area, self) => self.remap(area),
      });
      world.run(function* (thread) {
        yield* map(thread, device, { pages: 3, protection: VM_READ });
        const { mappings } = world.kernel;
        world.machine.sched.spawn(
          { name: "zapper", kind: "kernel", cpu: 1 },
          mappings.unmapMappingRange(device.inode.mapping, 0, 0, "even-cows"),
        );
        yield* mappings.forEachArea(device.inode.mapping, function* (area) {
          const pfn = (device.ioPfn + area.pgoff) as Pfn;
          ok(
            yield* mappings.remapMissing(area, {
              address: area.start,
              pfn,
              pages: area.pages,
              leaves: "single",
            }),
          );
        });
        yield* thread.nanosleep(10);
        world.expectAgreement();
      });
      world.finish();
    }
  });
});
