import { describe, expect, test } from "vitest";
import { VM_READ } from "../../src/contract/area-flags.ts";
import type { Sleepable } from "../../src/contract/execution.ts";
import type { KernelAddress, Page, Pfn } from "../../src/contract/units.ts";
import type { MachineOptions } from "../../src/machine-options.ts";
import { migratePage } from "../../src/mm/migrate.ts";
import { oomReap } from "../../src/mm/oom-reap.ts";
import { pageWasAccessed } from "../../src/mm/page-age.ts";
import { getUserPages, releaseUserPage } from "../../src/mm/pin.ts";
import { failAt } from "../../src/sanitize/failing-allocations.ts";
import type { Chooser } from "../../src/sched/chooser.ts";
import type { UserThread } from "../../src/user/user-thread.ts";
import { findFalseIndependence } from "../support/commuting.ts";
import { map, mapAnonymous, TestDevice } from "../support/test-device.ts";
import { RW, World } from "../support/world.ts";

type Act = (thread: UserThread, at: number, world: World, device: TestDevice) => Sleepable<unknown>;

/** What a thread does to three pages: of `at`, written to and shared with a child since, and two of them never touched. */
const acts: Readonly<Record<string, Act>> = {
  *store(thread, at, { page }) {
    yield* thread.store(at, 2);
    yield* thread.store(at + page, 3);
  },
  *load(thread, at, { page }) {
    yield* thread.load(at);
    yield* thread.load(at + 2 * page);
  },
  *munmap(thread, at, { page }) {
    yield* thread.munmap(at + page, 2 * page);
  },
  *dontneed(thread, at, { page }) {
    yield* thread.madvise(at, 2 * page, "dontneed");
  },
  *mprotect(thread, at, { page }) {
    yield* thread.mprotect(at, 2 * page, VM_READ);
    yield* thread.mprotect(at, page, RW);
  },
  *pin(thread, at) {
    const pages = yield* getUserPages(thread.mm, at, 1, {
      access: "write",
      hold: "pin",
      permission: "checked",
    });
    if (typeof pages !== "number") yield* releaseUserPage(thread.mm, pages[0] as Page, "pin", "dirty");
  },
  *migrate(thread, at) {
    yield* migratePage(thread.mm, at);
    yield* pageWasAccessed(thread.mm, at);
  },
  *"load of the device"(thread, at, { page }) {
    yield* thread.load(at + 8 * page);
    yield* thread.load(at + 9 * page);
  },
  *fork(thread, at) {
    yield* thread.fork(function* (child) {
      yield* child.store(at, 7);
    });
  },
  *"load of large leaves"(thread, at, { page }) {
    yield* thread.load(at - 512 * page);
    yield* thread.load(at - page);
  },
  *"munmap of part of a large leaf"(thread, at, { page }) {
    yield* thread.munmap(at - page, page);
  },
  *oomReap(thread) {
    yield* oomReap(thread.mm);
  },
  *"open and close"(thread) {
    const request = { path: "/dev/test", mode: "read-write", blocking: "blocking" } as const;
    yield* thread.close(yield* thread.open(request));
    yield* thread.open(request);
  },
  *"close of what the other has opened"(thread) {
    yield* thread.close(0);
    yield* thread.close(1);
  },
  *"a memory file"(thread, at, { page }) {
    const descriptor = yield* thread.memfdCreate("m");
    yield* thread.ftruncate(descriptor, page);
    const placement = { address: at + 12 * page, placement: "fixed" } as const;
    yield* thread.mmap({ length: page, protection: RW, sharing: "shared", descriptor, ...placement });
    yield* thread.load(at + 12 * page);
    yield* thread.ftruncate(descriptor, 0);
  },
  *"signals to both"(thread) {
    for (const other of thread.process.threads) {
      if (other.isAlive) other.receive("SIGUSR1");
      yield* thread.deliverSignals();
    }
  },
  *"a look at all that is mapped"(thread, at, { page }) {
    yield* thread.mincore(at, 2 * page);
    yield* thread.proc().pagemap(at, 3);
    yield* thread.proc().smaps();
    thread.proc().status();
  },
  *exit(thread) {
    yield* thread.nanosleep(1);
    thread.exit(1);
  },
  *"objects of kmalloc"(thread, at, { machine }) {
    const { kmalloc, kernel } = machine.memory;
    for (let count = 0; count < 3; count++) {
      yield* thread.load(at);
      const object = kmalloc.kmalloc(64) ?? (0 as KernelAddress);
      kernel.store32(object, thread.task.id);
      yield* thread.load(at);
      kmalloc.kfree(object);
    }
  },
  *"areas of vmalloc"(thread, at, { machine }) {
    const { vmalloc } = machine.memory;
    const first = vmalloc.map(512 as Pfn, 1);
    yield* thread.load(at);
    if (first !== undefined) vmalloc.unmap(first);
    yield* thread.load(at);
    vmalloc.map(512 as Pfn, (thread.task.id % 2) + 1);
  },
  *"windows of a device"(thread, at, { machine }) {
    const { io } = machine.memory;
    const window = io.claim(`window of ${thread.task.name}`, 1, { read: () => 0, write: () => {} });
    yield* thread.load(at);
    if (typeof window !== "number") io.release(window);
    yield* thread.load(at);
    io.claim(`window of ${thread.task.name}`, 2, { read: () => 0, write: () => {} });
  },
  *interrupts(thread, at, { machine }) {
    const line = machine.interrupts.connect("message", 0);
    yield* thread.load(at);
    line.request(`line of ${thread.task.name}`, function* () {
      return "handled";
    });
    yield* thread.load(at);
    line.raise();
    yield* thread.load(at);
    yield* line.free();
  },
  *revoke(_thread, _at, world, device) {
    yield* world.kernel.mappings.unmapMappingRange(device.inode.mapping, 0, 1, "even-cows");
  },
};

function build(one: Act, other: Act, options: () => MachineOptions = () => ({})) {
  return (chooser: Chooser) => {
    const world = new World({ chooser, ramPages: 24, cpus: 3, tlbEntries: 8, ...options() });
    const device = new TestDevice(world, { pages: 2 });
    const card = new TestDevice(world, {
      path: "/dev/card",
      ioPages: 512,
      mmap: (area, self) => self.remap(area, "large"),
    });
    // A slab and a table that are there already, so that nobody has to ask for a page; the slab's first object is free.
    const { kmalloc } = world.machine.memory;
    const first = kmalloc.kmalloc(64);
    kmalloc.kmalloc(64);
    if (first !== undefined) kmalloc.kfree(first);
    world.machine.memory.vmalloc.map(512 as Pfn, 1);
    world.spawn(function* (thread) {
      const at = 0x4000_0000 + 512 * world.page;
      yield* mapAnonymous(thread, 3, { address: at, placement: "fixed" });
      yield* map(thread, card, { pages: 512, address: 0x4000_0000, placement: "fixed" });
      yield* map(thread, device, { pages: 2, address: at + 8 * world.page, placement: "fixed" });
      yield* thread.store(at, 1);
      thread.sigaction("SIGUSR1", () => {});
      thread.spawn((second) => one(second, at, world, device), "one");
      thread.spawn((third) => other(third, at, world, device), "other");
    });
    return world;
  };
}

const names = Object.keys(acts);
const pairs = names.flatMap((one, index) => names.slice(index).map((other) => [one, other] as const));

const short = new Set([
  "open and close",
  "close of what the other has opened",
  "signals to both",
  "a look at all that is mapped",
  "exit",
  "objects of kmalloc",
  "areas of vmalloc",
  "windows of a device",
  "interrupts",
]);

let checkedInAll = 0;

describe("two steps that are announced as independent MUST lead to the same state in either order:", () => {
  test.each(pairs)("%s and %s", (one, other) => {
    const { wrong, checked } = findFalseIndependence(build(acts[one] as Act, acts[other] as Act), {
      // Such steps are few in a run: every one is looked at.
      ...(short.has(one) && short.has(other) ? { seeds: 3, every: 1 } : { seeds: 1, every: 5 }),
    });
    checkedInAll += checked;
    expect(wrong).toEqual([]);
  });
});

test("which of two allocations is made to fail MUST depend on which comes first", () => {
  const asks = (bytes: number): Act =>
    function* (thread, at, { machine }) {
      for (let count = 0; count < 4; count++) {
        yield* thread.load(at);
        machine.memory.kmalloc.kmalloc(bytes);
      }
    };
  const { checked } = findFalseIndependence(build(asks(8), asks(64)), { seeds: 5, every: 1 });
  const failing = build(asks(8), asks(64), () => ({ allocations: failAt("kmalloc", 3) }));
  expect(findFalseIndependence(failing, { seeds: 5, every: 1 }).checked).toBeLessThan(checked);
});

test("enough pairs of steps MUST have been met for that to mean something", () => {
  expect(checkedInAll).toBeGreaterThan(200);
});
