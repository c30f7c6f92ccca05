import { describe, expect, test } from "vitest";
import { VM_MIXEDMAP, VM_PFNMAP, VM_READ } from "../../src/contract/area-flags.ts";
import type { MaySleep } from "../../src/contract/execution.ts";
import type { MappableArea } from "../../src/contract/file.ts";
import {
  type FaultOutcome,
  hwpoison,
  installed,
  mapPage,
  mapPfn,
  oom,
  retryNow,
  sigbus,
  sigsegv,
} from "../../src/contract/outcome.ts";
import type { Page, Pfn } from "../../src/contract/units.ts";
import type { Fault } from "../../src/contract/vm-ops.ts";
import { PG_hwpoison } from "../../src/memory/page-flags.ts";
import { randomChooser } from "../../src/sched/random-chooser.ts";
import { map, mapAnonymous, TestDevice, type TestDeviceShape } from "../support/test-device.ts";
import { runProgram, trapOf, World } from "../support/world.ts";

/** A device whose nopage hook is the test's. */
function answering(world: World, nopage: (fault: Fault, device: TestDevice) => MaySleep<FaultOutcome>) {
  const device: TestDevice = new TestDevice(world, {
    pages: 4,
    ops: { nopage: (fault) => nopage(fault, device) },
  });
  return device;
}

/** Runs a load against an answer of the driver that breaks its contract: what was seen and what was reported. */
function breach(nopage: (fault: Fault, device: TestDevice) => unknown, shape: TestDeviceShape = {}) {
  const world = new World();
  const device: TestDevice = new TestDevice(world, {
    pages: 2,
    ops: { nopage: (fault) => nopage(fault, device) as FaultOutcome },
    ...shape,
  });
  let seen = "";
  world.run(function* (thread) {
    const at = yield* map(thread, device);
    seen = trapOf(yield* thread.load(at));
  });
  const messages = [...world.messages];
  world.finish(...world.machine.violations.list.map(({ kind }) => kind));
  return { seen, messages };
}

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
    for (let seed = 0; seed < 150; seed++) {
      const world = new World({ chooser: randomChooser(seed) });
      const device = new TestDevice(world, { pages: 1 });
      world.run(function* (thread) {
        const at = yield* map(thread, device);
        const other = thread.spawn(function* (own) {
          expect(yield* own.load(at)).toBe(0x1000);
        });
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
      isGiven = false;
      const other = thread.spawn(function* (own) {
        yield* own.load(at);
        yield* own.store(copied, 1);
      });
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

describe("NOPAGE without an entry", () => {
  test("FR-06 MUST leave the looping thread killable, and the clock running", () => {
    const world = new World();
    let asked = 0;
    const device = answering(world, () => {
      asked++;
      return installed;
    });
    world.run(function* (thread) {
      const child = yield* thread.fork(function* (own) {
        const at = yield* map(own, device);
        yield* own.load(at);
        throw new Error("the load came back");
      });
      if (typeof child === "number") throw new Error("no child");
      yield* thread.nanosleep(1_000_000);
      expect(asked).toBeGreaterThan(3);
      expect(child.isGone).toBe(false);
      child.kill("SIGKILL");
      yield* child.waitForEnd();
      expect(child.exit).toEqual({ signal: "SIGKILL" });
    });
    world.finish();
  });

  test("FR-06 MUST leave a get_user_pages caller killable", () => {
    const world = new World();
    const device: TestDevice = new TestDevice(world, {
      pages: 1,
      ops: { nopage: () => installed },
      file: {
        *read(_file, buffer) {
          const pages = yield* world.kernel.user.getPages(world.kernel.user.currentMm()!, buffer, 1, {
            access: "read",
            hold: "pin",
            permission: "checked",
          });
          return typeof pages === "number" ? pages : 0;
        },
      },
    });
    world.run(function* (thread) {
      const child = yield* thread.fork(function* (own) {
        const at = yield* map(own, device);
        const descriptor = yield* own.open({ path: device.path, mode: "read", blocking: "blocking" });
        yield* own.read(descriptor, at, 4);
        throw new Error("the call came back");
      });
      if (typeof child === "number") throw new Error("no child");
      yield* thread.nanosleep(1_000_000);
      child.kill("SIGKILL");
      yield* child.waitForEnd();
      expect(child.exit).toEqual({ signal: "SIGKILL" });
    });
    world.finish();
  });
});

describe("retry", () => {
  test("answered for ever MUST NOT hang the machine: the thread can be killed", () => {
    const world = new World();
    const device = answering(world, () => retryNow);
    world.run(function* (thread) {
      const child = yield* thread.fork(function* (own) {
        yield* own.load(yield* map(own, device));
      });
      if (typeof child === "number") throw new Error("no child");
      yield* thread.nanosleep(1_000_000);
      child.kill("SIGTERM");
      yield* child.waitForEnd();
      expect(child.exit).toEqual({ signal: "SIGTERM" });
    });
    world.finish();
  });

  test("FR-13 MUST make the fault a major one, while first tries are minor", () => {
    runProgram((world) => {
      let retries = 2;
      const device = answering(world, (fault, self) => {
        if (fault.pgoff === 1 && retries-- > 0) return retryNow;
        world.machine.memory.frames.get(self.pages[fault.pgoff]);
        return mapPage(self.pages[fault.pgoff]);
      });
      return function* (thread) {
        const at = yield* map(thread, device);
        yield* thread.load(at);
        expect([thread.minorFaults, thread.majorFaults]).toEqual([1, 0]);
        yield* thread.load(at + world.page);
        expect([thread.minorFaults, thread.majorFaults]).toEqual([1, 1]);
      };
    });
  });

  test("FR-13 a fault that starts anew after a signal MUST count as minor", () => {
    runProgram((world) => {
      let isClosed = true;
      const gate = world.machine.createGate("test");
      const device = answering(world, (fault, self) => {
        if (isClosed) return { kind: "retry", until: "gate-opens" };
        world.machine.memory.frames.get(self.pages[fault.pgoff]);
        return mapPage(self.pages[fault.pgoff]);
      });
      return function* (thread) {
        yield* gate.close();
        const at = yield* map(thread, device);
        const area = thread.mm.areas.find(at)!;
        area.backing = { gate, name: "test", pages: 4, mapping: device.inode.mapping } as never;
        let handled = 0;
        const faulter = thread.spawn(function* (own) {
          own.sigaction("SIGUSR1", () => {
            handled++;
            isClosed = false;
          });
          yield* own.load(at);
        });
        yield* thread.nanosleep(100);
        yield* gate.open();
        yield* gate.close();
        yield* thread.nanosleep(100);
        yield* gate.open();
        faulter.receive("SIGUSR1");
        yield* thread.nanosleep(100);
        expect(handled).toBe(1);
        expect([faulter.minorFaults, faulter.majorFaults]).toEqual([1, 0]);
        area.backing = undefined;
      };
    });
  });
});

describe("a driver that breaks the contract of nopage", () => {
  test("FR-11 with an errno is reported by name, and the thread gets SIGBUS", () => {
    expect(breach(() => -14)).toEqual({
      seen: "SIGBUS BUS_ADRERR",
      messages: ['test device: nopage answered -14 instead of a fault outcome such as { kind: "sigbus" }'],
    });
  });

  test("FR-11 with a kind that does not exist is reported", () => {
    expect(breach(() => ({ kind: "fine" })).messages[0]).toMatch(
      /^test device: nopage answered kind fine; the kinds are /,
    );
  });

  test("with nothing at all is reported", () => {
    expect(breach(() => undefined).seen).toBe("SIGBUS BUS_ADRERR");
    expect(breach(() => null).messages[0]).toMatch(/^test device: nopage answered null instead of/);
  });

  test("by throwing is reported", () => {
    const { seen, messages } = breach(() => {
      throw new Error("out of order");
    });
    expect(seen).toBe("SIGBUS BUS_ADRERR");
    expect(messages).toEqual(["test device: nopage threw Error: out of order"]);
  });

  test("by throwing after it slept is reported, with the mmap lock given back", () => {
    const { messages } = breach(function* (_fault, device) {
      yield* device.world.kernel.time.sleep(5);
      throw new Error("out of order");
    });
    expect(messages).toEqual(["test device: nopage threw Error: out of order"]);
  });

  test("with a page that has no struct page is reported", () => {
    expect(breach(() => mapPage(100_000 as Page)).messages[0]).toMatch(
      /page 100000, which has no struct page$/,
    );
    expect(breach(() => mapPage(1.5 as Page)).messages[0]).toMatch(/page 1.5, which has no struct page$/);
    expect(breach(() => mapPage(-1 as Page)).messages[0]).toMatch(/page -1, which has no struct page$/);
  });

  test("with a page that is free is reported", () => {
    expect(breach(() => mapPage(90 as Page)).messages[0]).toMatch(/answered page 90, which is free$/);
  });

  test("with a page for an area of bare pfns is reported, and the page given back", () => {
    const { seen, messages } = breach(
      (fault, device) => {
        device.world.machine.memory.frames.get(device.pages[fault.pgoff]);
        return mapPage(device.pages[fault.pgoff]);
      },
      {
        mmap: (area) => {
          area.flags |= VM_PFNMAP;
          return 0;
        },
      },
    );
    expect(seen).toBe("SIGBUS BUS_ADRERR");
    expect(messages[0]).toMatch(/for an area that is VM_PFNMAP$/);
  });

  test.each([-1, 1.5, Number.NaN, 2 ** 41, "7"])("with %s for a frame number is refused", (pfn) => {
    const special = (area: MappableArea): number => {
      area.flags |= VM_PFNMAP;
      return 0;
    };
    const { seen } = breach(() => ({ kind: "pfn", pfn }), { mmap: special });
    expect(seen).toBe("SIGBUS BUS_ADRERR");
  });

  test("with a page from a hook that has none to give is reported", () => {
    const world = new World();
    const device: TestDevice = new TestDevice(world, {
      pages: 1,
      ops: {
        nopagePfn: () => {
          world.machine.memory.frames.get(device.pages[0]);
          return mapPage(device.pages[0]) as never;
        },
      },
      mmap: (area) => {
        area.flags |= VM_MIXEDMAP;
        return 0;
      },
    });
    world.run(function* (thread) {
      expect(trapOf(yield* thread.load(yield* map(thread, device)))).toBe("SIGBUS BUS_ADRERR");
    });
    expect(world.messages).toEqual(["test device: nopagePfn answered a page, which it has none of to give"]);
    world.finish("contract");
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

describe("an access by the kernel", () => {
  /** A driver whose write copies from the user, and whose read copies to it. */
  function copying(world: World): TestDevice {
    return new TestDevice(world, {
      path: "/dev/copier",
      file: {
        *read(_file, buffer, length) {
          const left = yield* world.kernel.user.copyTo(buffer, new Uint8Array(length).fill(7));
          return left === length ? -14 : length - left;
        },
        *write(_file, buffer, length) {
          const data = new Uint8Array(length).fill(1);
          const left = yield* world.kernel.user.copyFrom(buffer, data);
          expect([...data.subarray(length - left)].every((byte) => byte === 0)).toBe(true);
          return left === length ? -14 : length - left;
        },
      },
    });
  }

  test("FR-09 to a hole MUST end in EFAULT and raise no signal", () => {
    runProgram((world) => {
      const copier = copying(world);
      const device = new TestDevice(world, { pages: 1 });
      return function* (thread) {
        const at = yield* map(thread, device, { pages: 2 });
        const descriptor = yield* thread.open({
          path: copier.path,
          mode: "read-write",
          blocking: "blocking",
        });
        const faults = thread.minorFaults;
        expect(yield* thread.read(descriptor, at + world.page, 8)).toBe(-14);
        expect(yield* thread.write(descriptor, at + world.page, 8)).toBe(-14);
        expect(yield* thread.read(descriptor, 0x1000, 8)).toBe(-14);
        expect(thread.minorFaults).toBe(faults);
        expect(yield* thread.read(descriptor, at + world.page - 8, 16)).toBe(8);
        expect(yield* thread.load(at + world.page - 4)).toBe(0x07070707);
        expect(yield* thread.write(descriptor, at + world.page - 8, 16)).toBe(8);
        expect(yield* thread.read(descriptor, world.machine.geometry.userEnd, 8)).toBe(-14);
      };
    });
  });

  test("FR-03 where memory lacks MUST end in an error, not in a retry", () => {
    runProgram((world) => {
      const copier = copying(world);
      let asked = 0;
      const device = answering(world, () => {
        asked++;
        return oom;
      });
      return function* (thread) {
        const at = yield* map(thread, device);
        const descriptor = yield* thread.open({
          path: copier.path,
          mode: "read-write",
          blocking: "blocking",
        });
        expect(yield* thread.write(descriptor, at, 8)).toBe(-14);
        expect(asked).toBe(1);
      };
    });
  });
});

describe("mkwrite", () => {
  test("FR-15 MUST be asked at the first store to a page that was only read, and once", () => {
    runProgram((world) => {
      const asked: number[] = [];
      const device = new TestDevice(world, {
        pages: 2,
        ops: {
          mkwrite: (fault) => {
            asked.push(fault.pgoff);
            return installed;
          },
        },
      });
      return function* (thread) {
        const at = yield* map(thread, device);
        yield* thread.load(at);
        yield* thread.load(at + world.page);
        expect(asked).toEqual([]);
        yield* thread.store(at + world.page, 3);
        yield* thread.store(at + world.page, 4);
        expect(asked).toEqual([1]);
        yield* thread.store(at, 5);
        expect(asked).toEqual([1, 0]);
        expect(device.word(1)).toBe(4);
        world.expectAgreement();
      };
    });
  });

  test("FR-15 MUST be asked when the first access is a store", () => {
    runProgram((world) => {
      let asked = 0;
      const device = new TestDevice(world, {
        pages: 1,
        ops: {
          *mkwrite() {
            yield* world.kernel.time.sleep(5);
            asked++;
            return installed;
          },
        },
      });
      return function* (thread) {
        const at = yield* map(thread, device);
        yield* thread.store(at, 5);
        expect(asked).toBe(1);
        expect(device.word(0)).toBe(5);
      };
    });
  });

  test.each([false, true])(
    "FR-15 an error from it MUST become SIGBUS, with nothing leaked (page present: %s)",
    (present) => {
      runProgram((world) => {
        const device = new TestDevice(world, { pages: 1, ops: { mkwrite: () => sigbus } });
        return function* (thread) {
          const at = yield* map(thread, device);
          if (present) yield* thread.load(at);
          expect(trapOf(yield* thread.store(at, 5))).toBe("SIGBUS BUS_ADRERR");
          expect(device.word(0)).toBe(0x1000);
          expect(device.extraReferences).toEqual([present ? 1 : 0]);
          expect(yield* thread.load(at)).toBe(0x1000);
        };
      });
    },
  );

  test("that throws is reported by name, and the thread gets SIGBUS", () => {
    for (const present of [false, true]) {
      const world = new World();
      const device = new TestDevice(world, {
        pages: 1,
        ops: {
          mkwrite: () => {
            throw new Error("no");
          },
        },
      });
      world.run(function* (thread) {
        const at = yield* map(thread, device);
        if (present) yield* thread.load(at);
        expect(trapOf(yield* thread.store(at, 5))).toBe("SIGBUS BUS_ADRERR");
      });
      expect(world.messages).toEqual(["test device: mkwrite threw Error: no"]);
      world.finish("contract");
    }
  });

  test("MUST NOT be asked for a private mapping", () => {
    runProgram((world) => {
      const device = new TestDevice(world, { pages: 1, ops: { mkwrite: () => sigbus } });
      return function* (thread) {
        const at = yield* map(thread, device, { sharing: "private" });
        yield* thread.load(at);
        expect(yield* thread.store(at, 5)).toBeUndefined();
        expect(device.word(0)).toBe(0x1000);
      };
    });
  });
});

describe("anonymous memory", () => {
  test("MUST show zeros at first, at the cost of no page until it is written", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 3);
          const free = world.machine.memory.freeFrames;
          for (let page = 0; page < 3; page++) expect(yield* thread.load(at + page * world.page)).toBe(0);
          expect([world.machine.memory.freeFrames, thread.mm.rss]).toEqual([free, 0]);
          yield* thread.store(at + world.page, 1);
          expect([world.machine.memory.freeFrames, thread.mm.rssAnon]).toEqual([free - 1, 1]);
          expect(yield* thread.load(at)).toBe(0);
          expect(yield* thread.load(at + world.page)).toBe(1);
          world.expectAgreement();
        },
    );
  });

  test("MUST be zero also where the frame had other contents before", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const first = yield* mapAnonymous(thread, 8);
          for (let page = 0; page < 8; page++)
            yield* thread.storeBlock(first + page * world.page, new Uint8Array(world.page).fill(0xee));
          yield* thread.munmap(first, 8 * world.page);
          const at = yield* mapAnonymous(thread, 8);
          for (let page = 0; page < 8; page++) {
            yield* thread.store(at + page * world.page + 4, 1);
            expect(yield* thread.load(at + page * world.page)).toBe(0);
            expect(yield* thread.load(at + page * world.page + world.page - 4)).toBe(0);
          }
        },
    );
  });

  test("MUST be written in place by accesses of every width, across pages too", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 2);
          const edge = at + world.page;
          yield* thread.store(edge - 2, 0x11223344);
          expect(yield* thread.load(edge - 2)).toBe(0x11223344);
          expect(yield* thread.load(edge - 2, 2)).toBe(0x3344);
          expect(yield* thread.load(edge, 1)).toBe(0x22);
          yield* thread.store64(edge - 4, 0x0102030405060708n);
          expect(yield* thread.load64(edge - 4)).toBe(0x0102030405060708n);
          expect(yield* thread.load64(edge - 4 + 1)).toBe(0x0001020304050607n);
          yield* thread.store64(at, 0xffff_ffff_ffff_fff0n);
          expect(yield* thread.load64(at)).toBe(0xffff_ffff_ffff_fff0n);
          yield* thread.store(at, 0x1ff, 1);
          expect(yield* thread.load(at, 2)).toBe(0xffff);
          const block = Uint8Array.from({ length: 100 }, (_, index) => index);
          yield* thread.storeBlock(edge - 50, block);
          expect(yield* thread.loadBlock(edge - 50, 100)).toEqual(block);
        },
    );
  });

  test("a block that runs into a hole MUST be copied up to it", () => {
    runProgram(
      (world) =>
        function* (thread) {
          const at = yield* mapAnonymous(thread, 2, { address: 0x40_0000 });
          yield* thread.munmap(at + world.page, world.page);
          const result = yield* thread.storeBlock(at + world.page - 8, new Uint8Array(16).fill(3));
          expect(trapOf(result)).toBe("SIGSEGV SEGV_MAPERR");
          expect(yield* thread.load(at + world.page - 4)).toBe(0x03030303);
        },
    );
  });
});
