import { expect, test } from "vitest";
import { VM_DONTDUMP, VM_IO } from "../../src/contract/area-flags.ts";
import { dumpedAreas } from "../../src/mm/core-dump.ts";
import { map, mapAnonymous, TestDevice } from "../support/test-device.ts";
import { ok, runProgram } from "../support/world.ts";

test("PE-06 VM_IO areas MUST be left out of a core dump whatever VM_DONTDUMP says, and what was written MUST be in it", () => {
  runProgram((world) => {
    const registers = new TestDevice(world, {
      path: "/dev/registers",
      ioPages: 1,
      *mmap(area, self) {
        const result = yield* self.remap(area);
        area.flags &= ~VM_DONTDUMP;
        return result;
      },
    });
    const memory = new TestDevice(world, { path: "/dev/memory", pages: 1 });
    const marked = new TestDevice(world, {
      path: "/dev/marked",
      pages: 1,
      mmap: (area) => {
        area.flags |= VM_IO;
        return 0;
      },
    });
    return function* (thread) {
      const written = yield* mapAnonymous(thread, 1);
      yield* thread.store(written, 1);
      const untouched = yield* mapAnonymous(thread, 1, { address: 0x100_0000 });
      yield* thread.load(untouched);
      const kept = yield* mapAnonymous(thread, 1, { sharing: "shared" });
      yield* map(thread, registers, { pages: 1, sharing: "private" });
      yield* map(thread, memory);
      const copied = yield* map(thread, memory, { sharing: "private" });
      yield* thread.store(copied, 1);
      const hidden = yield* map(thread, marked, { sharing: "private" });
      yield* thread.store(hidden, 1);
      const dumped = () => dumpedAreas(thread.mm).map(({ start }) => start);
      expect(dumped().sort()).toEqual([written, kept, copied].sort());
      ok(yield* thread.madvise(written, world.page, "dontdump"));
      expect(dumped()).not.toContain(written);
      ok(yield* thread.madvise(written, world.page, "dodump"));
      expect(dumped()).toContain(written);
    };
  });
});
