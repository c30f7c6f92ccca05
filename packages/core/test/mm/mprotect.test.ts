import { describe, expect, test } from "vitest";
import { VM_EXEC, VM_MAYWRITE, VM_READ, VM_WRITE } from "../../src/contract/area-flags.ts";
import { EACCES, EBUSY, EINVAL, ENOMEM, EPERM } from "../../src/contract/errno.ts";
import { PTE_UNCACHED, PTE_WRITE_COMBINING } from "../../src/mmu/pte.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import { map, mapAnonymous, TestDevice } from "../support/test-device.ts";
import { ok, RW, runProgram, started, trapOf, World } from "../support/world.ts";

describe("the arguments of mprotect", () => {
  test("an address that is not aligned MUST be refused with EINVAL; a length of 0 changes nothing", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 1);
          expect(yield* thread.mprotect(at + 1, world.page, RW)).toBe(-EINVAL);
          expect(yield* thread.mprotect(at, 0, 0)).toBe(0);
          expect(yield* thread.load(at)).toBe(0);
        },
    );
  });

  test("a hole MUST be answered with ENOMEM, what came before it stays changed", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 3, { address: 0x100_0000 });
          ok(yield* thread.munmap(at + world.page, world.page));
          expect(yield* thread.mprotect(at, 3 * world.page, VM_READ)).toBe(-ENOMEM);
          expect(trapOf(yield* thread.store(at, 1))).toBe("SIGSEGV SEGV_ACCERR");
          expect(yield* thread.store(at + 2 * world.page, 1)).toBeUndefined();
          expect(yield* thread.mprotect(at + world.page, world.page, VM_READ)).toBe(-ENOMEM);
          expect(yield* thread.mprotect(world.machine.geometry.userEnd, world.page, VM_READ)).toBe(-ENOMEM);
        },
    );
  });
});

describe("a new protection", () => {
  test("MUST hold at once for pages that are there, on every CPU, and be taken back the same way", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 2);
          yield* thread.store(at, 1);
          const other = started(
            thread.spawn(function* (own) {
              expect(yield* own.store(at, 2)).toBeUndefined();
              yield* own.nanosleep(100);
              expect(trapOf(yield* own.store(at, 3))).toBe("SIGSEGV SEGV_ACCERR");
              expect(yield* own.load(at)).toBe(2);
              yield* own.nanosleep(100);
              expect(trapOf(yield* own.load(at))).toBe("SIGSEGV SEGV_ACCERR");
              yield* own.nanosleep(100);
              expect(yield* own.store(at, 4)).toBeUndefined();
            }),
          );
          yield* thread.nanosleep(50);
          ok(yield* thread.mprotect(at, world.page, VM_READ));
          world.expectAgreement();
          yield* thread.nanosleep(100);
          ok(yield* thread.mprotect(at, world.page, 0));
          world.expectAgreement();
          yield* thread.nanosleep(100);
          ok(yield* thread.mprotect(at, world.page, RW));
          world.expectAgreement();
          yield* thread.nanosleep(100);
          expect(other.task.state).toBe("done");
          expect(yield* thread.load(at)).toBe(4);
          expect(thread.mm.rssAnon).toBe(1);
        },
    );
  });

  test("MUST be seen by no store after mprotect has returned, over random schedules", () => {
    for (let seed = 0; seed < 100; seed++) {
      const world = new World({ chooser: randomChooser(seed) });
      world.run(function* (thread) {
        const at = yield* mapAnonymous(thread, 1);
        yield* thread.store(at, 0);
        let isProtected = false;
        thread.spawn(function* (own) {
          for (let round = 1; round <= 3; round++) {
            const was = isProtected;
            const result = yield* own.store(at, round);
            if (was) expect(trapOf(result)).toBe("SIGSEGV SEGV_ACCERR");
          }
        });
        ok(yield* thread.mprotect(at, world.page, VM_READ));
        isProtected = true;
      });
      world.finish();
    }
  });

  test("of part of an area MUST split it, and the part that changes keeps its object", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 5 });
      return function* (thread) {
        const at = yield* map(thread, device);
        const original = thread.mm.areas.find(at);
        device.takeCalls();
        ok(yield* thread.mprotect(at + world.page, 2 * world.page, VM_READ));
        expect(device.takeCalls()).toEqual(["open [0, 1)", "open [3, 5)"]);
        expect(thread.mm.areas.find(at + world.page)).toBe(original);
        expect(thread.mm.areas.all().map(({ pgoff, pages }) => [pgoff, pages])).toEqual([
          [0, 1],
          [1, 2],
          [3, 2],
        ]);
        expect(device.mapped).toBe(3);
        for (let page = 0; page < 5; page++)
          expect(yield* thread.load(at + page * world.page)).toBe(0x1000 + page);
        world.expectAgreement();
      };
    });
  });

  test("that is the old one MUST split nothing", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 3);
          ok(yield* thread.mprotect(at + world.page, world.page, RW));
          expect(thread.mm.areas.size).toBe(1);
        },
    );
  });

  test("over several areas MUST reach each of them", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 2, { address: 0x100_0000 });
          yield* mapAnonymous(thread, 2, {
            address: 0x100_0000 + 2 * world.page,
            protection: VM_READ | VM_EXEC,
          });
          for (let page = 0; page < 4; page++) yield* thread.load(at + page * world.page);
          ok(yield* thread.mprotect(at + world.page, 2 * world.page, 0));
          const seen: string[] = [];
          for (let page = 0; page < 4; page++) seen.push(trapOf(yield* thread.load(at + page * world.page)));
          expect(seen).toEqual([
            "no trap but 0",
            "SIGSEGV SEGV_ACCERR",
            "SIGSEGV SEGV_ACCERR",
            "no trap but 0",
          ]);
        },
    );
  });

  test("MUST be refused with EACCES where the area may never have it", () => {
    runProgram((world) => {
      const device = new TestDevice(world, {
        pages: 1,
        mmap: (area) => {
          area.flags &= ~VM_MAYWRITE;
          return 0;
        },
      });
      return function* (thread) {
        const at = yield* map(thread, device, { protection: VM_READ });
        expect(yield* thread.mprotect(at, world.page, RW)).toBe(-EACCES);
        expect(yield* thread.load(at)).toBe(0x1000);
      };
    });
  });

  test("made writable MUST let stores through to a private page without copying what is its own", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 1);
          yield* thread.store(at, 1);
          const copied = world.machine.stats.pagesCopied;
          ok(yield* thread.mprotect(at, world.page, VM_READ));
          ok(yield* thread.mprotect(at, world.page, RW));
          expect(yield* thread.store(at, 2)).toBeUndefined();
          expect(world.machine.stats.pagesCopied).toBe(copied);
          expect(thread.mm.rssAnon).toBe(1);
        },
    );
  });

  test("made writable MUST NOT let stores through to a page of the object that is mapped privately", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 1 });
      return function* (thread) {
        const at = yield* map(thread, device, { sharing: "private", protection: VM_READ });
        yield* thread.load(at);
        ok(yield* thread.mprotect(at, world.page, RW));
        yield* thread.store(at, 9);
        expect(device.word(0)).toBe(0x1000);
        expect(yield* thread.load(at)).toBe(9);
        expect(device.extraReferences).toEqual([0]);
      };
    });
  });
});

describe("a driver's say", () => {
  test("LC-09 a veto of the split MUST make a partial mprotect fail, with nothing changed", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 3, ops: { maySplit: () => -EBUSY } });
      return function* (thread) {
        const at = yield* map(thread, device);
        expect(yield* thread.mprotect(at + world.page, world.page, VM_READ)).toBe(-EBUSY);
        expect(yield* thread.store(at + world.page, 1)).toBeUndefined();
        expect(yield* thread.mprotect(at, 3 * world.page, VM_READ)).toBe(0);
      };
    });
  });

  test("PE-03 the mprotect hook MUST be asked after the MAY check and before anything changes; its error stops it", () => {
    runProgram((world) => {
      const asked: string[] = [];
      let answer = -EPERM;
      const device = new TestDevice(world, {
        pages: 3,
        ops: {
          mprotect: (area, start, end, flags) => {
            asked.push(
              `${(start - area.start) / world.page} ${(end - area.start) / world.page} ${flags & 7}`,
            );
            return answer;
          },
        },
        mmap: (area) => {
          area.flags &= ~0x40;
          return 0;
        },
      });
      return function* (thread) {
        const at = yield* map(thread, device);
        expect(yield* thread.mprotect(at, world.page, RW | VM_EXEC)).toBe(-EACCES);
        expect(asked).toEqual([]);
        expect(yield* thread.mprotect(at + world.page, world.page, VM_READ)).toBe(-EPERM);
        expect(asked).toEqual(["1 2 1"]);
        expect(thread.mm.areas.size).toBe(1);
        answer = 0;
        expect(yield* thread.mprotect(at + world.page, world.page, VM_READ)).toBe(0);
        expect(thread.mm.areas.size).toBe(3);
      };
    });
  });

  test("PE-04 the cache mode that the mmap hook set MUST survive", () => {
    runProgram((world) => {
      const device = new TestDevice(world, {
        ioPages: 2,
        mmap: (area, self) => {
          area.cache = "write-combining";
          return self.remap(area);
        },
      });
      return function* (thread) {
        const at = yield* map(thread, device, { pages: 2 });
        const entry = () => thread.mm.table.entryOf(at / world.page);
        expect(entry() & (PTE_UNCACHED | PTE_WRITE_COMBINING)).toBe(PTE_WRITE_COMBINING);
        ok(yield* thread.mprotect(at, world.page, VM_READ));
        expect(entry() & (PTE_UNCACHED | PTE_WRITE_COMBINING)).toBe(PTE_WRITE_COMBINING);
        expect(trapOf(yield* thread.store(at, 1))).toBe("SIGSEGV SEGV_ACCERR");
        ok(yield* thread.mprotect(at, world.page, VM_WRITE | VM_READ));
        expect(yield* thread.store(at, 1)).toBeUndefined();
        expect(device.registers.written.get(0)).toBe(1);
      };
    });
  });

  test("FR-15 made writable MUST NOT go round mkwrite, which is asked once about a page that stays dirty", () => {
    runProgram((world) => {
      let asked = 0;
      const device = new TestDevice(world, {
        pages: 1,
        ops: {
          mkwrite: () => {
            asked++;
            return { kind: "installed" };
          },
        },
      });
      return function* (thread) {
        const at = yield* map(thread, device, { protection: VM_READ });
        yield* thread.load(at);
        ok(yield* thread.mprotect(at, world.page, RW));
        expect(asked).toBe(0);
        yield* thread.store(at, 1);
        expect(asked).toBe(1);
        ok(yield* thread.mprotect(at, world.page, VM_READ));
        ok(yield* thread.mprotect(at, world.page, RW));
        yield* thread.store(at, 2);
        expect(asked).toBe(1);
      };
    });
  });
});

describe("at the limit of areas", () => {
  test("a split MUST be refused with ENOMEM before the driver is asked", () => {
    runProgram(
      (world) => {
        let asked = 0;
        const device = new TestDevice(world, {
          pages: 3,
          ops: {
            maySplit: () => {
              asked++;
              return 0;
            },
          },
        });
        return function* (thread) {
          const at = yield* map(thread, device);
          yield* mapAnonymous(thread, 1);
          expect(yield* thread.mprotect(at, world.page, VM_READ)).toBe(-ENOMEM);
          expect(asked).toBe(0);
          expect(yield* thread.mprotect(at, 3 * world.page, VM_READ)).toBe(0);
        };
      },
      { maxAreas: 2 },
    );
  });
});

describe("a large leaf", () => {
  test("MUST be split where the protection changes inside it", () => {
    runProgram((world) => {
      const device = new TestDevice(world, {
        ioPages: 1024,
        mmap: (area, self) => self.remap(area, "large"),
      });
      return function* (thread) {
        const at = yield* map(thread, device, { pages: 1024 });
        ok(yield* thread.mprotect(at + 100 * world.page, 10 * world.page, VM_READ));
        world.expectAgreement();
        expect(trapOf(yield* thread.store(at + 105 * world.page, 1))).toBe("SIGSEGV SEGV_ACCERR");
        expect(yield* thread.load(at + 105 * world.page)).toBe(105 * world.page);
        expect(yield* thread.store(at + 99 * world.page, 1)).toBeUndefined();
        expect(yield* thread.store(at + 110 * world.page, 1)).toBeUndefined();
        expect(yield* thread.store(at + 1000 * world.page, 1)).toBeUndefined();
        ok(yield* thread.mprotect(at + 512 * world.page, 512 * world.page, VM_READ));
        expect(trapOf(yield* thread.store(at + 1000 * world.page, 1))).toBe("SIGSEGV SEGV_ACCERR");
        world.expectAgreement();
      };
    });
  });
});
