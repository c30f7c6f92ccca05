import { describe, expect, test } from "vitest";
import { seedsBelow } from "../../../../tools/exploration.ts";
import { VM_MIXEDMAP, VM_READ } from "../../src/contract/area-flags.ts";
import {
  type FaultOutcome,
  hwpoison,
  mapPage,
  mapPfn,
  oom,
  sigbus,
  sigsegv,
} from "../../src/contract/outcome.ts";
import type { Page, Pfn } from "../../src/contract/units.ts";
import { PG_hwpoison } from "../../src/memory/page-flags.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import { answering, map, mapAnonymous, TestDevice } from "../support/test-device.ts";
import { runProgram, started, trapOf, World } from "../support/world.ts";

describe("a page that nopage answers with", () => {
  test("FR-01 MUST be mapped once, with one reference and one page of rss", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 3 });
      return function* (thread) {
        const at = yield* map(thread, device);
        expect(yield* thread.load(at + world.page)).toBe(0x1001);
        expect(device.extraReferences).toEqual([0, 1, 0]);
        expect([thread.mm.rssFile, thread.mm.rssAnon]).toEqual([1, 0]);
        yield* thread.load(at + world.page + 8);
        yield* thread.store(at + world.page, 5);
        expect(device.word(1)).toBe(5);
        expect(device.extraReferences).toEqual([0, 1, 0]);
        expect(device.takeCalls()).toEqual(["mmap [0, 3)", "nopage 1 read"]);
        world.expectAgreement();
      };
    });
  });

  test("FR-16 MUST be asked for by page-aligned address, object page and kind of access", () => {
    runProgram((world) => {
      const asked: string[] = [];
      const device = answering(world, (fault, self) => {
        const offset = fault.address - fault.area.start;
        asked.push(`${offset} ${fault.pgoff} ${fault.access} ${fault.gate} ${fault.mayRetry}`);
        const page = self.pages[fault.pgoff];
        world.machine.memory.frames.get(page);
        return mapPage(page);
      });
      return function* (thread) {
        const at = yield* map(thread, device, { pages: 3, pgoff: 1 });
        yield* thread.load(at + 2 * world.page + 123, 1);
        yield* thread.store(at + 4, 1);
        expect(asked).toEqual([`${2 * world.page} 3 read open true`, "0 1 write open true"]);
      };
    });
  });

  test("FR-14 written to privately MUST be copied at once, left unchanged, and given back", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 1 });
      return function* (thread) {
        const at = yield* map(thread, device, { sharing: "private" });
        yield* thread.store(at + 4, 9);
        expect(yield* thread.load(at)).toBe(0x1000);
        expect(yield* thread.load(at + 4)).toBe(9);
        expect(device.word(0)).toBe(0x1000);
        expect(device.extraReferences).toEqual([0]);
        expect([thread.mm.rssFile, thread.mm.rssAnon]).toEqual([0, 1]);
        expect(device.takeCalls()).toEqual(["mmap [0, 1)", "nopage 0 write"]);
        world.expectAgreement();
      };
    });
  });

  test("FR-12 asked for by two threads at once MUST end in one entry and one reference", () => {
    let races = 0;
    for (const seed of seedsBelow(150)) {
      const world = new World({ chooser: randomChooser(seed) });
      const device = new TestDevice(world, { pages: 1 });
      world.run(function* (thread) {
        const at = yield* map(thread, device);
        const other = started(
          thread.spawn(function* (own) {
            expect(yield* own.load(at)).toBe(0x1000);
          }),
        );
        expect(yield* thread.load(at)).toBe(0x1000);
        yield* thread.nanosleep(1000);
        expect(other.task.state).toBe("done");
        expect(device.extraReferences).toEqual([1]);
        expect(thread.mm.rssFile).toBe(1);
        if (device.calls.length === 3) races++;
        world.expectAgreement();
      });
      world.finish();
    }
    expect(races).toBeGreaterThan(5);
  });

  test("of broken hardware MUST end in SIGBUS BUS_MCEERR_AR and be given back", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 1 });
      return function* (thread) {
        const at = yield* map(thread, device);
        const { frames } = world.machine.memory;
        frames.setFlags(device.pages[0] as Page, PG_hwpoison);
        expect(trapOf(yield* thread.load(at))).toBe("SIGBUS BUS_MCEERR_AR");
        expect(device.extraReferences).toEqual([0]);
        frames.clearFlags(device.pages[0] as Page, PG_hwpoison);
      };
    });
  });
});

describe("what is no page", () => {
  const cases: [string, FaultOutcome, string][] = [
    ["FR-02 sigbus", sigbus, "SIGBUS BUS_ADRERR"],
    ["FR-04 sigsegv", sigsegv, "SIGSEGV SEGV_MAPERR"],
    ["FR-04 hwpoison", hwpoison, "SIGBUS BUS_MCEERR_AR"],
  ];

  test.each(cases)(
    "%s MUST become its signal, with no entry, and be asked for again",
    (_name, outcome, trap) => {
      runProgram((world) => {
        let asked = 0;
        const device = answering(world, () => {
          asked++;
          return outcome;
        });
        return function* (thread) {
          const at = yield* map(thread, device);
          const tables = world.machine.tables.tablesInUse;
          for (let round = 1; round <= 3; round++) {
            const result = yield* thread.load(at + 4);
            expect(trapOf(result)).toBe(trap);
            expect(result).toMatchObject({ address: at + 4 });
            expect(asked).toBe(round);
          }
          expect(thread.mm.rss).toBe(0);
          expect(world.machine.tables.tablesInUse).toBe(tables);
          expect(thread.minorFaults + thread.majorFaults).toBe(0);
        };
      });
    },
  );

  test("FR-03 lack of memory MUST raise no signal: the access is tried again", () => {
    runProgram((world) => {
      let lacking = 3;
      const device = answering(world, (fault, self) => {
        if (lacking-- > 0) return oom;
        world.machine.memory.frames.get(self.pages[fault.pgoff]);
        return mapPage(self.pages[fault.pgoff]);
      });
      return function* (thread) {
        const at = yield* map(thread, device);
        expect(yield* thread.load(at)).toBe(0x1000);
        expect(lacking).toBe(-1);
      };
    });
  });

  test("RC-04 N failed faults for lack of memory MUST leak nothing", () => {
    let isGiven = true;
    const world = new World({ allocations: { mayAllocate: () => isGiven } });
    const device = new TestDevice(world, { pages: 2 });
    world.run(function* (thread) {
      const at = yield* map(thread, device);
      const copied = yield* map(thread, device, { sharing: "private" });
      const other = started(
        thread.spawn(function* (own) {
          yield* own.load(at);
          yield* own.store(copied, 1);
        }),
      );
      isGiven = false;
      yield* thread.nanosleep(20_000_000);
      expect(device.extraReferences).toEqual([0, 0]);
      isGiven = true;
      yield* thread.nanosleep(20_000_000);
      expect(other.task.state).toBe("done");
      expect(device.extraReferences).toEqual([1, 0]);
    });
    world.finish();
  });
});

describe("an access that is not allowed", () => {
  test("FR-05 MUST NOT reach the handler", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 1 });
      return function* (thread) {
        const at = yield* map(thread, device, { protection: VM_READ });
        expect(trapOf(yield* thread.store(at, 1))).toBe("SIGSEGV SEGV_ACCERR");
        expect(trapOf(yield* thread.load(at + world.page))).toBe("SIGSEGV SEGV_MAPERR");
        expect(device.takeCalls()).toEqual(["mmap [0, 1)"]);
        yield* thread.mprotect(at, world.page, 0);
        expect(trapOf(yield* thread.load(at))).toBe("SIGSEGV SEGV_ACCERR");
        expect(device.takeCalls()).toEqual([]);
      };
    });
  });

  test("of an address outside the user half MUST be SIGSEGV SEGV_MAPERR", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 1);
          yield* thread.store(at, 42);
          for (const address of [
            2 ** 48 + at,
            2 ** 49 + at,
            world.machine.geometry.userEnd,
            world.machine.geometry.directMapStart,
            -world.page,
          ]) {
            expect(trapOf(yield* thread.load(address))).toBe("SIGSEGV SEGV_MAPERR");
            expect(trapOf(yield* thread.store(address, 1))).toBe("SIGSEGV SEGV_MAPERR");
          }
          expect(yield* thread.load(at)).toBe(42);
        },
    );
  });

  test("of an address that wraps on i386 MUST be SIGSEGV SEGV_MAPERR", () => {
    runProgram(
      () =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 1);
          yield* thread.store(at, 42);
          expect(trapOf(yield* thread.load(2 ** 32 + at))).toBe("SIGSEGV SEGV_MAPERR");
        },
      { geometry: "i386" },
    );
  });
});

describe("the order of the hooks", () => {
  test("nopagePfn MUST be asked first where a driver has both, and its entry counts nothing", () => {
    runProgram((world) => {
      const device: TestDevice = new TestDevice(world, {
        pages: 1,
        ioPages: 2,
        ops: { nopagePfn: (fault) => mapPfn((device.ioPfn + fault.pgoff) as Pfn) },
        mmap: (area) => {
          area.flags |= VM_MIXEDMAP;
          return 0;
        },
      });
      return function* (thread) {
        const at = yield* map(thread, device, { pages: 2 });
        expect(yield* thread.load(at + world.page + 8)).toBe(world.page + 8);
        expect(device.calls).toEqual(["mmap [0, 2)"]);
        expect(thread.mm.rss).toBe(0);
        world.expectAgreement();
      };
    });
  });
});
