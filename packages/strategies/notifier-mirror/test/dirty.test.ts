import {
  createKernel,
  type DeviceFollower,
  DmaPort,
  Machine,
  type Page,
  randomChooser,
  type Sleepable,
  type UserAddress,
  type UserThread,
  VM_READ,
  VM_WRITE,
} from "@nopage/core";
import { describe, expect, it } from "vitest";
import { DeviceMmu, intervalMirror, notifierMirror } from "../src/index.ts";

/** What a test gets: a page of a memory file that a device follows, with nothing written to it since it was clean. */
interface Followed {
  readonly thread: UserThread;
  readonly follower: DeviceFollower;
  readonly port: DmaPort;
  readonly address: UserAddress;
  readonly bytes: number;
  /** Whether the page has `PG_dirty`. */
  isDirty(): boolean;
}

const protection = VM_READ | VM_WRITE;

function onFollowedPage(
  mirror: typeof notifierMirror | typeof intervalMirror,
  body: (followed: Followed) => Sleepable<void>,
): void {
  const machine = new Machine({ ramPages: 128 });
  const kernel = createKernel(machine);
  const bytes = machine.geometry.pageSize;
  const { frames } = machine.memory;
  machine.spawn("user", function* (thread) {
    const file = yield* thread.memfdCreate("followed");
    yield* thread.ftruncate(file, bytes);
    const mapping = { length: bytes, protection, sharing: "shared", descriptor: file } as const;
    const address = (yield* thread.mmap(mapping)) as UserAddress;
    const end = (address + bytes) as UserAddress;
    const request = { mm: thread.mm, ranges: [{ start: address, end }], stop: () => {} };
    const follower = yield* mirror.create(kernel).follow(request);
    if (typeof follower === "number") throw new Error(`follow answered ${follower}`);
    expect(yield* follower.populate(address, "write")).toBe(0);
    const page = follower.translate(address, "read") as number as Page;
    const isDirty = () => frames.describe(page).includes("dirty");
    expect(isDirty()).toBe(false);
    yield* body({
      thread,
      follower,
      port: new DmaPort(machine, "test device", 52),
      address,
      bytes,
      isDirty,
    });
  });
  const { status } = machine.sched.run();
  for (const { failure } of machine.sched.tasks) if (failure !== undefined) throw failure;
  expect(status).toBe("finished");
  expect(machine.violations.list).toEqual([]);
}

const data = Uint8Array.of(9);

describe.each([notifierMirror, intervalMirror])("$name: what a device wrote (GP-10)", (mirror) => {
  it("MUST be dirty once the translation is gone, by detaching", () => {
    onFollowedPage(mirror, function* ({ follower, port, address, isDirty }) {
      expect(yield* port.writeThrough(follower, address, data)).toBe(1);
      yield* follower.detach();
      expect(isDirty()).toBe(true);
    });
  });

  it("MUST be dirty once an invalidation took the translation", () => {
    onFollowedPage(mirror, function* ({ thread, follower, port, address, bytes, isDirty }) {
      expect(yield* port.writeThrough(follower, address, data)).toBe(1);
      expect(yield* thread.mprotect(address, bytes, VM_READ)).toBe(0);
      expect(isDirty()).toBe(true);
      yield* follower.detach();
    });
  });

  it("MUST NOT be said of a page that the device only read, or may write", () => {
    onFollowedPage(mirror, function* ({ follower, port, address, isDirty }) {
      expect(yield* port.readThrough(follower, address, new Uint8Array(4))).toBe(4);
      expect(follower.translate(address, "write")).toBeDefined();
      yield* follower.detach();
      expect(isDirty()).toBe(false);
    });
  });

  it.each(["populate", "populateAtomic"] as const)(
    "MUST stay known when %s makes the entry again for reading, which takes no right away",
    (again) => {
      for (const writesAfterwards of [false, true]) {
        onFollowedPage(mirror, function* ({ follower, port, address, isDirty }) {
          expect(yield* port.writeThrough(follower, address, data)).toBe(1);
          expect(yield* follower[again](address, "read")).toBe(0);
          if (writesAfterwards) expect(yield* port.writeThrough(follower, address, data)).toBe(1);
          expect(follower.translate(address, "write")).toBeDefined();
          yield* follower.detach();
          expect(isDirty()).toBe(true);
        });
      }
    },
  );
});

describe("the device's page table", () => {
  const first = 0x40_0000 as UserAddress;

  function* insert(mmu: DeviceMmu, page: number): Sleepable<void> {
    expect(yield* mmu.insert(first, page as Page, "read-write")).toBe(0);
  }

  it("MUST use no old translation for an entry that was written anew", () => {
    const machine = new Machine();
    const mmu = new DeviceMmu(createKernel(machine), "test");
    machine.spawn("driver", function* () {
      yield* insert(mmu, 3);
      expect(mmu.translate(first, "write")).toBe(3);
      yield* insert(mmu, 4);
      expect(mmu.translate(first, "write")).toBe(4);
    });
    machine.sched.run();
    for (const { failure } of machine.sched.tasks) expect(failure).toBeUndefined();
  });

  it("MUST count a device fault once, however tasks interleave", () => {
    for (const chooser of [undefined, randomChooser(1), randomChooser(2)]) {
      const machine = new Machine(chooser === undefined ? {} : { chooser });
      const mmu = new DeviceMmu(createKernel(machine), "test");
      const port = new DmaPort(machine, "test device", 52);
      machine.spawn("driver", function* () {
        expect(yield* port.writeThrough(mmu, first, data)).toBe(0);
        yield* insert(mmu, 3);
        expect(yield* port.writeThrough(mmu, first, data)).toBe(1);
      });
      machine.sched.run();
      for (const { failure } of machine.sched.tasks) expect(failure).toBeUndefined();
      expect(mmu.faults).toBe(1);
    }
  });
});
