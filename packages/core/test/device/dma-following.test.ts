import { describe, expect, test } from "vitest";
import type { Sleepable } from "../../src/contract/execution.ts";
import {
  createKernel,
  type DeviceFollower,
  DmaPort,
  Machine,
  type Pinned,
  type UserAddress,
  type UserThread,
  VM_READ,
  VM_WRITE,
} from "../../src/index.ts";
import { ptePfn } from "../../src/mmu/pte.ts";

const protection = VM_READ | VM_WRITE;

interface Following {
  readonly machine: Machine;
  readonly port: DmaPort;
  readonly thread: UserThread;
  /** A device's translations that nobody keeps true: they say for ever what they said in the beginning. */
  readonly stale: DeviceFollower;
  readonly address: UserAddress;
}

/** A process whose memory is given to a device that does not follow what becomes of it; answers what was reported. */
function withStaleDevice(body: (following: Following) => Sleepable<void>): readonly string[] {
  const machine = new Machine({ ramPages: 64 });
  const kernel = createKernel(machine);
  const port = new DmaPort(machine, "test device", 52);
  machine.spawn("user", function* (thread) {
    const length = machine.geometry.pageSize;
    const address = (yield* thread.mmap({ length, protection, sharing: "private" })) as UserAddress;
    yield* thread.store(address, 1);
    const pfn = ptePfn(thread.mm.table.entryOf(address / length));
    const stale: DeviceFollower = {
      state: kernel.sync.shared("translations", 0),
      translate: () => pfn,
      *populateAtomic() {
        return 0;
      },
      *populate() {
        return 0;
      },
      *detach() {},
    };
    const pinned: Pinned = {
      mm: thread.mm,
      start: address,
      pages: [],
      follower: stale,
      access: "device-writes",
    };
    port.map(pinned);
    yield* body({ machine, port, thread, stale, address });
    port.unmap(pinned);
  });
  machine.sched.run();
  for (const { failure } of machine.sched.tasks) if (failure !== undefined) throw failure;
  return machine.violations.list.map(({ kind, message }) => `${kind}: ${message}`);
}

const data = Uint8Array.of(9);

describe("a device that uses a process's memory through translations of its own", () => {
  test("MUST be reported once when it writes to a page that was handed out anew", () => {
    const reports = withStaleDevice(function* ({ machine, port, thread, stale, address }) {
      const { pageSize } = machine.geometry;
      const pfn = stale.translate(address, "write");
      yield* thread.munmap(address, pageSize);
      const length = 8 * pageSize;
      const other = yield* thread.mmap({ address: 0x1000_0000, length, protection, sharing: "private" });
      for (let at = 0; at < length; at += pageSize) yield* thread.store(other + at, 1);
      expect(machine.memory.frames.isAllocated(pfn as never)).toBe(true);
      yield* port.writeThrough(stale, address, data);
      yield* port.writeThrough(stale, address, data);
    });
    expect(reports).toHaveLength(1);
    expect(reports[0]).toMatch(
      /^use-after-free: test device writes to page .*, which is not what is at address/,
    );
  });

  test("MUST be reported when it writes to what the process may only read, and not when it reads it", () => {
    const reports = withStaleDevice(function* ({ machine, port, thread, stale, address }) {
      yield* thread.mprotect(address, machine.geometry.pageSize, VM_READ);
      yield* port.readThrough(stale, address, new Uint8Array(1));
      expect(machine.violations.list).toEqual([]);
      yield* port.writeThrough(stale, address, data);
    });
    expect(reports).toHaveLength(1);
    expect(reports[0]).toMatch(
      /^use-after-free: test device writes to page .*, which may only be read at address/,
    );
  });

  test("MUST NOT be reported while the process has the page as well", () => {
    const reports = withStaleDevice(function* ({ port, stale, address }) {
      expect(yield* port.writeThrough(stale, address, data)).toBe(1);
      expect(yield* port.readThrough(stale, address, new Uint8Array(1))).toBe(1);
    });
    expect(reports).toEqual([]);
  });
});
