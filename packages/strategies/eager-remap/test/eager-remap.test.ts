import {
  areaFlagNames,
  createKernel,
  EAGAIN,
  EINVAL,
  type GeometryName,
  geometries,
  isTrap,
  Machine,
  randomChooser,
  type Sleepable,
  type UserThread,
} from "@nopage/core";
import {
  claimMarkedWindow,
  createTestDevice,
  createTestWorld,
  entriesOf,
  mapTestDevice,
  markOf,
  reluctantChooser,
  runPrograms,
  takeStock,
} from "@nopage/testkit";
import { describe, expect, test } from "vitest";
import { seedsBelow } from "../../../../tools/exploration.ts";
import { eagerRemap } from "../src/index.ts";

const strategy = eagerRemap;

function* marksAt(thread: UserThread, address: number, pages: number): Sleepable<unknown[]> {
  const seen: unknown[] = [];
  for (let page = 0; page < pages; page++) {
    const value = yield* thread.load(address + page * thread.mm.pageSize);
    seen.push(isTrap(value) ? value.signal : value);
  }
  return seen;
}

describe("mmap", () => {
  test("RE-02 MUST mark the area VM_IO, VM_PFNMAP, VM_DONTEXPAND and VM_DONTDUMP", () => {
    const { device, run } = createTestWorld({ strategy, backing: "pfn-run" });
    run(function* (thread) {
      const area = thread.mm.areas.find(yield* mapTestDevice(thread, device));
      expect(areaFlagNames(area?.flags ?? 0)).toEqual(expect.arrayContaining(["io", "pf", "de", "dd"]));
    });
  });

  test("MUST answer EINVAL when the area already has operations", () => {
    const { machine, device, run } = createTestWorld({ strategy, backing: "pfn-run" });
    machine.devices.register("/dev/occupied", {
      name: "occupied",
      owner: undefined,
      mmap(_file, area) {
        area.ops = { name: "somebody else's" };
        return device.binding.mmap(area);
      },
    });
    run(function* (thread) {
      const occupied = { ...device, path: "/dev/occupied" };
      expect(yield* mapTestDevice(thread, occupied)).toBe(-EINVAL);
    });
  });

  test.each([0, 1, 2, 3])(
    "RE-05 without memory for page table %d MUST answer EAGAIN and leave no entry",
    (at) => {
      let left = Number.POSITIVE_INFINITY;
      const allocations = { mayAllocate: (site: string) => site !== "page-table" || left-- > 0 };
      // Two halves of the mapping lie in different leaf tables.
      const { device, run, machine } = createTestWorld({
        strategy,
        backing: "pfn-run",
        pages: 700,
        machine: { allocations },
      });
      run(function* (thread) {
        left = at;
        expect(yield* mapTestDevice(thread, device, { firstPage: 1 })).toBe(-EAGAIN);
        left = Number.POSITIVE_INFINITY;
        expect(entriesOf(machine, device)).toBe(0);
        expect(device.binding.backing.mapping.size).toBe(0);
      });
    },
  );

  test("a coherent buffer that is freed, or shorter than what is to be shown, MUST be refused with EINVAL", () => {
    const { machine, kernel, run, device, shown } = createTestWorld({ strategy, backing: "coherent" });
    const tooLong = createTestDevice(machine, kernel, strategy, {
      path: "/dev/long",
      memory: shown.memory,
      pages: 5,
    });
    machine.spawn("p", function* (thread) {
      expect(yield* mapTestDevice(thread, tooLong)).toBe(-EINVAL);
    });
    run(function* () {});
    shown.release();
    const before = takeStock(machine);
    machine.spawn("p", function* (thread) {
      expect(yield* mapTestDevice(thread, device)).toBe(-EINVAL);
    });
    runPrograms(machine, before);
  });

  test("LK-07 coherent memory without struct page MUST show the right bytes", () => {
    const machine = { pagelessPages: 8, coherentMemory: "without-page" } as const;
    const { device, run } = createTestWorld({ strategy, backing: "coherent", machine });
    run(function* (thread) {
      const address = yield* mapTestDevice(thread, device);
      expect(yield* marksAt(thread, address, 4)).toEqual([0, 1, 2, 3].map(markOf));
    });
  });

  test.each(Object.keys(geometries) as GeometryName[])(
    "on %s MUST show every page, before and after a transfer",
    (geometry) => {
      const { device, run } = createTestWorld({ strategy, backing: "pfn-run", machine: { geometry } });
      run(function* (thread) {
        const address = yield* mapTestDevice(thread, device, { firstPage: 1 });
        expect(yield* marksAt(thread, address, 3)).toEqual([1, 2, 3].map(markOf));
        yield* device.binding.quiesce();
        expect(yield* marksAt(thread, address, 1)).toEqual(["SIGBUS"]);
        yield* device.binding.resume();
        expect(yield* marksAt(thread, address, 3)).toEqual([1, 2, 3].map(markOf));
      });
    },
  );

  test("1 GiB of I/O memory MUST take one entry", () => {
    const { device, run, machine } = createTestWorld({ strategy, backing: "pfn-run", pages: 2 ** 18 });
    run(function* (thread) {
      const tables = machine.tables.tablesInUse;
      const address = yield* mapTestDevice(thread, device);
      expect(machine.tables.tablesInUse - tables).toBeLessThanOrEqual(2);
      expect(yield* thread.load(address + (2 ** 18 - 1) * 4096)).toBe(markOf(2 ** 18 - 1));
    });
  });
});

describe("a private writable mapping", () => {
  test("RE-03 MUST have its pgoff overwritten with its first frame", () => {
    const { device, run, shown } = createTestWorld({ strategy, backing: "pfn-run" });
    run(function* (thread) {
      const address = yield* mapTestDevice(thread, device, { sharing: "private", firstPage: 2 });
      const first = shown.memory.kind === "pfn-run" ? shown.memory.pfn : 0;
      expect(thread.mm.areas.find(address)?.pgoff).toBe(first + 2);
    });
  });

  test("RV-08 MUST be restored page by page right after split, move and fork", () => {
    const { device, run } = createTestWorld({ strategy, backing: "pfn-run", pages: 6 });
    run(function* (thread) {
      const address = yield* mapTestDevice(thread, device, { sharing: "private", firstPage: 1 });
      yield* thread.munmap(address + 4096, 4096);
      const size = { oldLength: 4096, newLength: 4096, newAddress: 0x1000_0000 };
      yield* thread.mremap({ address: address + 4 * 4096, ...size, moving: "may-move" });
      yield* thread.fork(function* (child) {
        yield* child.nanosleep(10);
        expect(yield* marksAt(child, address, 4)).toEqual([markOf(1), "SIGSEGV", markOf(3), markOf(4)]);
        expect(yield* child.load(0x1000_0000)).toBe(markOf(5));
      });
      yield* device.binding.quiesce();
      expect(yield* marksAt(thread, address, 4)).toEqual(["SIGBUS", "SIGSEGV", "SIGBUS", "SIGBUS"]);
      yield* device.binding.resume();
      expect(yield* marksAt(thread, address, 4)).toEqual([markOf(1), "SIGSEGV", markOf(3), markOf(4)]);
      expect(yield* thread.load(0x1000_0000)).toBe(markOf(5));
    });
  });

  test("MUST show the new frames after a replacement, whose numbers its pgoff does not know", () => {
    const { device, run, machine } = createTestWorld({ strategy, backing: "pfn-run" });
    const other = claimMarkedWindow(machine, 4, 100);
    run(function* (thread) {
      const address = yield* mapTestDevice(thread, device, { sharing: "private", firstPage: 1 });
      const memory = { kind: "pfn-run", pfn: other.range.startPfn } as const;
      yield* device.binding.replace(memory, 3, function* () {});
      expect(yield* marksAt(thread, address, 3)).toEqual([markOf(101), markOf(102), "SIGBUS"]);
    });
  });
});

describe("restore", () => {
  test("MUST leave alone what another device shows on the same inode", () => {
    const { device, kernel, run, machine } = createTestWorld({ strategy, backing: "pfn-run" });
    const window = claimMarkedWindow(machine, 4, 100);
    const { mapping } = device.binding.backing;
    const memory = { kind: "pfn-run", pfn: window.range.startPfn } as const;
    const other = kernel.bind(strategy, { name: "other", memory, pages: 4, cache: "uncached", mapping });
    machine.devices.register("/dev/other", {
      name: "other",
      owner: undefined,
      mmap: (_file, area) => other.mmap(area),
    });
    run(function* (thread) {
      const own = yield* mapTestDevice(thread, device);
      const others = yield* mapTestDevice(thread, { path: "/dev/other", binding: other });
      // Not gated, so that only the restore's own look at whose area it is keeps it away.
      yield* kernel.mappings.unmapMappingRange(mapping, 0, 0, "even-cows");
      yield* device.binding.quiesce();
      yield* device.binding.resume();
      expect(yield* marksAt(thread, own, 1)).toEqual([markOf(0)]);
      expect(yield* marksAt(thread, others, 1)).toEqual(["SIGBUS"]);
    });
  });

  test("that races with a replacement MUST NOT bring the old frames back", () => {
    for (const seed of seedsBelow(2000)) {
      const chooser = seed % 2 === 0 ? randomChooser(seed) : reluctantChooser(seed);
      const { device, kernel, run, machine } = createTestWorld({
        strategy,
        backing: "pfn-run",
        machine: { chooser },
      });
      const window = claimMarkedWindow(machine, 4, 100);
      const memory = { kind: "pfn-run", pfn: window.range.startPfn } as const;
      run(function* (thread) {
        const address = yield* mapTestDevice(thread, device);
        yield* device.binding.quiesce();
        const replace = () => device.binding.replace(memory, 4, function* () {});
        kernel.time.spawnKernelThread("replace", replace, "required");
        yield* device.binding.resume();
        yield* thread.nanosleep(1_000_000);
        expect({ seed, seen: yield* marksAt(thread, address, 2) }).toEqual({
          seed,
          seen: [markOf(100), markOf(101)],
        });
      });
    }
  }, 60_000);

  test("that runs while the gate closes again MUST stop, and the next one MUST finish it", () => {
    for (const seed of seedsBelow(1000)) {
      const chooser = seed % 2 === 0 ? randomChooser(seed) : reluctantChooser(seed);
      const { device, kernel, run, machine } = createTestWorld({
        strategy,
        backing: "pfn-run",
        machine: { chooser },
      });
      run(function* (thread) {
        const address = yield* mapTestDevice(thread, device);
        const transfer = function* (): Sleepable<void> {
          yield* device.binding.quiesce();
          expect({ seed, entries: entriesOf(machine, device) }).toEqual({ seed, entries: 0 });
          yield* device.binding.resume();
        };
        for (const name of ["one", "other"]) kernel.time.spawnKernelThread(name, transfer, "required");
        yield* thread.nanosleep(1_000_000);
        expect(yield* marksAt(thread, address, 4)).toEqual([0, 1, 2, 3].map(markOf));
      });
    }
  }, 60_000);
});

test("memory that it cannot show MUST be refused when it is bound, with what it can show", () => {
  const machine = new Machine();
  const memory = { kind: "page-array", list: [] } as const;
  expect(() => createTestDevice(machine, createKernel(machine), strategy, { memory, pages: 0 })).toThrow(
    "eager-remap: create cannot show /dev/test, which is page-array; it shows pfn-run, coherent",
  );
});
