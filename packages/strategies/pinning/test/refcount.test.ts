import {
  createKernel,
  EFAULT,
  isError,
  Machine,
  type Page,
  type Pinned,
  type Sleepable,
  type UserAddress,
  type UserThread,
  VM_READ,
  VM_WRITE,
} from "@nopage/core";
import { runPrograms, takeStock } from "@nopage/testkit";
import { describe, expect, test } from "vitest";
import { refcount } from "../src/index.ts";

const PAGE = 4096;

function world() {
  const machine = new Machine({ ramPages: 96 });
  const { frames } = machine.memory;
  const before = takeStock(machine);
  return {
    machine,
    frames,
    pinning: refcount.create(createKernel(machine)),
    references: (pages: readonly Page[]) => pages.map((page) => frames.refcount[page]),
    /** The device writes into the first word of a page, as DMA does: past every page table. */
    deviceWrites: (page: Page | undefined, value: number) => {
      frames.view.setUint32((page ?? 0) * PAGE, value, true);
      frames.markWritten(page ?? (0 as Page), 0, 4);
    },
    run: () => runPrograms(machine, before),
  };
}

type World = ReturnType<typeof world>;

function* anonymous(
  thread: UserThread,
  pages: number,
  protection = VM_READ | VM_WRITE,
): Sleepable<UserAddress> {
  return (yield* thread.mmap({ length: pages * PAGE, protection, sharing: "private" })) as UserAddress;
}

function* pinFor(under: World, thread: UserThread, start: UserAddress, pages: number): Sleepable<Pinned> {
  const pinned = yield* pin(under, thread, start, pages);
  if (typeof pinned === "number") throw new Error(`pin answered ${pinned}`);
  return pinned;
}

function* pin(
  { pinning }: World,
  thread: UserThread,
  start: UserAddress,
  pages: number,
): Sleepable<Pinned | number> {
  const answer = pinning.pin(thread.mm, start, pages, "device-writes");
  return typeof answer === "object" && "next" in answer ? yield* answer : answer;
}

function* unpin({ pinning }: World, pinned: Pinned, contents: "clean" | "dirty" = "dirty"): Sleepable<void> {
  const answer = pinning.unpin(pinned, contents);
  if (typeof answer === "object") yield* answer;
}

test("GP-01 each page MUST have one reference more until it is unpinned, and what the device wrote MUST be seen", () => {
  const under = world();
  under.machine.spawn("p", function* (thread) {
    const start = yield* anonymous(thread, 3);
    const pinned = yield* pinFor(under, thread, start, 3);
    expect(pinned.pages).toHaveLength(3);
    expect(under.references(pinned.pages)).toEqual([2, 2, 2]);
    under.deviceWrites(pinned.pages[2], 42);
    yield* unpin(under, pinned);
    expect(under.references(pinned.pages)).toEqual([1, 1, 1]);
    expect(yield* thread.load(start + 2 * PAGE)).toBe(42);
  });
  under.run();
});

describe("what it survives", () => {
  test("GP-02 after munmap the pages MUST stay the device's until they are unpinned", () => {
    const under = world();
    under.machine.spawn("p", function* (thread) {
      const start = yield* anonymous(thread, 2);
      const pinned = yield* pinFor(under, thread, start, 2);
      yield* thread.munmap(start, 2 * PAGE);
      const reused = yield* anonymous(thread, 8);
      for (let page = 0; page < 8; page++) yield* thread.store(reused + page * PAGE, 7);
      under.deviceWrites(pinned.pages[0], 42);
      for (let page = 0; page < 8; page++) expect(yield* thread.load(reused + page * PAGE)).toBe(7);
      expect(under.references(pinned.pages)).toEqual([1, 1]);
      yield* unpin(under, pinned);
      expect(under.references(pinned.pages)).toEqual([0, 0]);
    });
    under.run();
  });

  test("GP-03 after the process has died the pages MUST stay the device's, and unpin MUST NOT need the process", () => {
    const under = world();
    let pinned: Pinned | undefined;
    const process = under.machine.spawn("victim", function* (thread) {
      pinned = yield* pinFor(under, thread, yield* anonymous(thread, 2), 2);
      yield* thread.nanosleep(1_000_000);
    });
    under.machine.spawn("killer", function* (thread) {
      yield* thread.nanosleep(10);
      process.kill("SIGKILL");
      yield* process.waitForEnd();
      if (pinned === undefined) throw new Error("nothing was pinned");
      expect(under.machine.mms.size).toBe(1);
      expect(under.references(pinned.pages)).toEqual([1, 1]);
      yield* unpin(under, pinned);
      expect(under.references(pinned.pages)).toEqual([0, 0]);
    });
    under.run();
  });

  test("GP-05 it does not claim fork: a parent that stores MUST be seen to lose the page to its child", () => {
    expect(refcount.supports.survives).not.toContain("fork");
    expect(refcount.supports.coherentAfterFork).toBe(false);
    const under = world();
    under.machine.spawn("p", function* (thread) {
      const start = yield* anonymous(thread, 1);
      const pinned = yield* pinFor(under, thread, start, 1);
      yield* thread.fork(function* (child) {
        yield* child.nanosleep(10);
        expect(yield* child.load(start)).toBe(42);
      });
      yield* thread.store(start + 8, 1);
      under.deviceWrites(pinned.pages[0], 42);
      expect(yield* thread.load(start)).toBe(0);
      yield* thread.nanosleep(20);
      yield* unpin(under, pinned);
    });
    under.run();
  });
});

describe("pin", () => {
  test("GP-08 that gets some of the pages MUST give those back and answer EFAULT", () => {
    const under = world();
    under.machine.spawn("p", function* (thread) {
      const start = yield* anonymous(thread, 3);
      for (let page = 0; page < 3; page++) yield* thread.store(start + page * PAGE, 1);
      const pages = [0, 1].map((at) => Math.floor(thread.mm.table.entryOf(start / PAGE + at) / PAGE) as Page);
      yield* thread.munmap(start + 2 * PAGE, PAGE);
      expect(yield* pin(under, thread, start, 3)).toBe(-EFAULT);
      expect(under.references(pages)).toEqual([1, 1]);
    });
    under.run();
  });

  test("GP-06 for a device that writes MUST be refused where the process may not, and where nothing is mapped", () => {
    const under = world();
    under.machine.spawn("p", function* (thread) {
      const readOnly = yield* anonymous(thread, 1, VM_READ);
      expect(yield* pin(under, thread, readOnly, 1)).toBe(-EFAULT);
      expect(yield* pin(under, thread, 0x7000 as UserAddress, 1)).toBe(-EFAULT);
    });
    under.run();
  });

  test("GP-12 of the page of zeros for a device that reads MUST change no count", () => {
    const under = world();
    under.machine.spawn("p", function* (thread) {
      const start = yield* anonymous(thread, 1);
      yield* thread.load(start);
      const answer = under.pinning.pin(thread.mm, start, 1, "device-reads");
      const pinned = typeof answer === "object" && "next" in answer ? yield* answer : answer;
      if (typeof pinned === "number" || isError(pinned.pages.length)) throw new Error("not pinned");
      const [page] = pinned.pages;
      const before = under.references([page as Page]);
      yield* unpin(under, pinned, "clean");
      expect(under.references([page as Page])).toEqual(before);
    });
    under.run();
  });
});

describe("unpin", () => {
  test.each(["clean", "dirty"] as const)("GP-10 MUST leave the pages %s", (contents) => {
    const under = world();
    under.machine.spawn("p", function* (thread) {
      const start = yield* anonymous(thread, 1);
      yield* thread.store(start, 1);
      const pinned = yield* pinFor(under, thread, start, 1);
      const [page] = pinned.pages as readonly [Page];
      const before = under.frames.flags[page];
      yield* unpin(under, pinned, contents);
      expect(under.frames.flags[page] === before).toBe(contents === "clean");
    });
    under.run();
  });

  test("of a token that was given back already MUST be refused by name, and MUST NOT drop a reference", () => {
    const under = world();
    under.machine.spawn("p", function* (thread) {
      const start = yield* anonymous(thread, 1);
      const pinned = yield* pinFor(under, thread, start, 1);
      yield* unpin(under, pinned);
      let message = "";
      try {
        yield* unpin(under, pinned);
      } catch (violation) {
        message = String(violation);
      }
      expect(message).toBe("ContractViolation: refcount: unpin was given a token that is not out");
      expect(under.references(pinned.pages)).toEqual([1]);
    });
    under.run();
  });
});
