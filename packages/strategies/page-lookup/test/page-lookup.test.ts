import {
  type BackingMemory,
  createKernel,
  EINVAL,
  type GeometryName,
  geometries,
  isTrap,
  type KernelAddress,
  Machine,
  owners,
  type Page,
  VM_READ,
  VM_WRITE,
} from "@nopage/core";
import {
  createTestDevice,
  createTestWorld,
  mapTestDevice,
  markOf,
  runPrograms,
  takeStock,
} from "@nopage/testkit";
import { describe, expect, test } from "vitest";
import { pageLookup } from "../src/index.ts";

const strategy = pageLookup;
const PAGE = 4096;

/** What mmap answers for memory that `make` takes from a machine, and what a load of its first word sees. */
function mapping(
  pages: number,
  make: (machine: Machine) => BackingMemory,
): { result: number; word: unknown } {
  const machine = new Machine({ ramPages: 96, pagelessPages: 8, coherentMemory: "without-page" });
  const device = createTestDevice(machine, createKernel(machine), strategy, { memory: make(machine), pages });
  const before = takeStock(machine);
  const seen: { result: number; word: unknown } = { result: 0, word: undefined };
  machine.spawn("p", function* (thread) {
    const result = yield* mapTestDevice(thread, device);
    seen.result = Math.min(0, result);
    if (result < 0) return;
    const word = yield* thread.load(result);
    seen.word = isTrap(word) ? word.signal : word;
  });
  runPrograms(machine, before);
  return seen;
}

function kmalloc(bytes: number, offset = 0) {
  return ({ memory }: Machine): BackingMemory => {
    const address = memory.kmalloc.kzalloc(bytes) as KernelAddress;
    return { kind: "linear", address: (address + offset) as KernelAddress };
  };
}

function freePages(order: number, shape: "compound" | "split" | "bare") {
  return ({ memory }: Machine): BackingMemory => {
    const page = memory.pages.getFreePages(order, shape, owners.driver) as Page;
    for (let at = 0; at < 1 << order; at++) memory.frames.clear((page + at) as Page);
    return { kind: "linear", address: memory.directMap.addressOf(page) };
  };
}

function vmalloc(bytes: number, offset = 0) {
  return ({ memory }: Machine): BackingMemory => {
    const address = memory.vmalloc.vmallocUser(bytes) as KernelAddress;
    return { kind: "vmalloc", address: (address + offset) as KernelAddress };
  };
}

const accepted = { result: 0, word: 0 };
const refused = { result: -EINVAL, word: undefined };

describe("a buffer of the direct map", () => {
  test.each([1, 64, PAGE, 2 * PAGE])(
    "LK-03 of kmalloc(%d), which lies in a slab, MUST be refused with EINVAL",
    (bytes) => {
      expect(mapping(1, kmalloc(bytes))).toEqual(refused);
    },
  );

  test("LK-01 of kmalloc beyond the slabs, a compound page, MUST be shown", () => {
    expect(mapping(3, kmalloc(3 * PAGE))).toEqual(accepted);
  });

  test.each(["compound", "split"] as const)("LK-01 of getFreePages, %s, MUST be shown", (shape) => {
    expect(mapping(4, freePages(2, shape))).toEqual(accepted);
  });

  test("LK-01 of getFreePages, neither compound nor split, MUST be refused with EINVAL", () => {
    expect(mapping(4, freePages(2, "bare"))).toEqual(refused);
  });

  test("LK-05 that does not begin with a page MUST be refused with EINVAL", () => {
    expect(mapping(2, kmalloc(3 * PAGE, 16))).toEqual(refused);
  });

  test.each(["compound", "split"] as const)(
    "LK-05 that ends before the object does, %s, MUST be refused",
    (shape) => {
      expect(mapping(5, freePages(2, shape))).toEqual(refused);
    },
  );

  test("LK-05 whose neighbour would show, because it ends before the object does, MUST be refused with EINVAL", () => {
    const beforeNeighbour = (machine: Machine): BackingMemory => {
      const own = freePages(2, "compound")(machine);
      const neighbour = freePages(2, "compound")(machine);
      if (own.kind !== "linear" || neighbour.kind !== "linear") throw new Error("not linear");
      expect(Math.abs(own.address - neighbour.address)).toBe(4 * PAGE);
      return own.address < neighbour.address ? own : neighbour;
    };
    expect(mapping(5, beforeNeighbour)).toEqual(refused);
  });

  test("that is no address of the direct map MUST be refused, not looked up", () => {
    expect(mapping(1, (machine) => ({ ...vmalloc(PAGE)(machine), kind: "linear" }) as BackingMemory)).toEqual(
      refused,
    );
  });
});

describe("a buffer of vmalloc", () => {
  test("MUST be shown", () => {
    expect(mapping(3, vmalloc(3 * PAGE))).toEqual(accepted);
  });

  test("LK-02 MUST show each page by a look-up of its own, because neighbours are none in memory", () => {
    const { device, run } = createTestWorld({ strategy, backing: "vmalloc", pages: 16 });
    run(function* (thread) {
      const address = yield* mapTestDevice(thread, device);
      let neighbours = 0;
      for (let page = 0; page < 16; page++) {
        expect(yield* thread.load(address + page * PAGE)).toBe(markOf(page));
        const frame = (at: number) => Math.floor(thread.mm.table.entryOf(address / PAGE + at) / PAGE);
        if (page > 0 && frame(page) === frame(page - 1) + 1) neighbours++;
      }
      expect(neighbours).toBe(0);
    });
  });

  test("LK-05 that does not begin with a page, or ends before the object does, MUST be refused with EINVAL", () => {
    expect(mapping(1, vmalloc(3 * PAGE, 8))).toEqual(refused);
    expect(mapping(4, vmalloc(3 * PAGE))).toEqual(refused);
    expect(mapping(3, vmalloc(3 * PAGE, PAGE))).toEqual(refused);
  });

  test("LK-04 that only maps frames of others MUST be refused with EINVAL", () => {
    const coherent = ({ memory }: Machine): BackingMemory => {
      const buffer = memory.coherent.dmaAllocCoherent(PAGE);
      return { kind: "vmalloc", address: buffer?.cpuAddress as KernelAddress };
    };
    expect(mapping(1, coherent)).toEqual(refused);
  });
});

describe.each(["linear", "vmalloc", "page-array"] as const)(
  "a buffer, %s, that is freed while it is mapped",
  (backing) => {
    test("LK-06 MUST be SIGBUS where it was not touched before", () => {
      const { machine, device, shown } = createTestWorld({ strategy, backing });
      machine.spawn("p", function* (thread) {
        const address = yield* mapTestDevice(thread, device);
        shown.release();
        for (let page = 0; page < 4; page++)
          expect(isTrap(yield* thread.load(address + page * PAGE))).toBe(true);
      });
      machine.sched.run();
      for (const { failure } of machine.sched.tasks) expect(failure).toBeUndefined();
      expect(machine.violations.list).toEqual([]);
      expect([...machine.memory.frames.inUseByOwner()]).toEqual([]);
    });
  },
);

test("LK-07 coherent memory MUST be refused when it is bound, with what can be shown", () => {
  const machine = new Machine();
  const { cpuAddress: address, busAddress } = machine.memory.coherent.dmaAllocCoherent(PAGE) ?? {};
  const memory = { kind: "coherent", address, busAddress } as BackingMemory;
  expect(() => createTestDevice(machine, createKernel(machine), strategy, { memory, pages: 1 })).toThrow(
    "page-lookup: create cannot show /dev/test, which is coherent; it shows linear, vmalloc, page-array",
  );
});

test.each(Object.keys(geometries) as GeometryName[])(
  "on %s every page MUST show at its place",
  (geometry) => {
    for (const backing of strategy.supports.backing) {
      const { device, run } = createTestWorld({ strategy, backing, machine: { geometry } });
      run(function* (thread) {
        const address = yield* mapTestDevice(thread, device, { firstPage: 1 });
        for (let page = 0; page < 3; page++) {
          expect(yield* thread.load(address + page * thread.mm.pageSize)).toBe(markOf(page + 1));
        }
      });
    }
  },
);

test("LC-15 what joins a mapping without the device being asked MUST show nothing past its end, nor once it is gone", () => {
  const { device, run } = createTestWorld({ strategy, backing: "vmalloc", pages: 2 });
  run(function* (thread) {
    const open = () => thread.open({ path: device.path, mode: "read-write", blocking: "blocking" });
    const shared = { protection: VM_READ | VM_WRITE, sharing: "shared", placement: "fixed" } as const;
    const descriptor = yield* open();
    const at = 0x1000_0000;
    const pieceOf = (file: number, pgoff: number) =>
      thread.mmap({ ...shared, descriptor: file, address: at + pgoff * PAGE, length: PAGE, pgoff });
    expect(yield* pieceOf(descriptor, 0)).toBe(at);
    for (const pgoff of [1, 2]) expect(yield* pieceOf(descriptor, pgoff)).toBe(at + pgoff * PAGE);
    expect(thread.mm.areas.all().map(({ pages }) => pages)).toEqual([3]);
    expect(yield* thread.load(at + PAGE)).toBe(markOf(1));
    expect(yield* thread.load(at + 2 * PAGE)).toMatchObject({ signal: "SIGBUS" });
    expect(yield* pieceOf(yield* open(), 2), "another open file, so the device is asked").toBe(-EINVAL);

    expect(yield* thread.munmap(at + PAGE, 2 * PAGE)).toBe(0);
    yield* device.binding.remove();
    expect(yield* pieceOf(descriptor, 1)).toBe(at + PAGE);
    expect(yield* thread.load(at + PAGE)).toMatchObject({ signal: "SIGBUS" });
    expect(yield* thread.load(at)).toMatchObject({ signal: "SIGBUS" });
  });
});
