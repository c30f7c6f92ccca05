import { describe, expect, test } from "vitest";
import { VM_MIXEDMAP } from "../../src/contract/area-flags.ts";
import { mapPfn } from "../../src/contract/outcome.ts";
import type { Pfn } from "../../src/contract/units.ts";
import { map, TestDevice } from "../support/test-device.ts";
import { runProgram } from "../support/world.ts";

describe("a fault after another", () => {
  test("MUST keep nothing of it: a bare pfn after a page counts no page", () => {
    runProgram((world) => {
      const paged = new TestDevice(world, { pages: 2 });
      const bare: TestDevice = new TestDevice(world, {
        path: "/dev/bare",
        pages: 1,
        ioPages: 2,
        ops: { nopagePfn: (fault) => mapPfn((bare.ioPfn + fault.pgoff) as Pfn) },
        mmap: (area) => {
          area.flags |= VM_MIXEDMAP;
          return 0;
        },
      });
      return function* (thread) {
        const page = yield* map(thread, paged);
        const pfn = yield* map(thread, bare, { pages: 2 });
        yield* thread.load(page);
        yield* thread.load(pfn);
        yield* thread.store(page + world.page, 1);
        yield* thread.load(pfn + world.page);
        expect(thread.mm.rss).toBe(2);
        expect(paged.extraReferences).toEqual([1, 1]);
        world.expectAgreement();
      };
    });
  });
});
