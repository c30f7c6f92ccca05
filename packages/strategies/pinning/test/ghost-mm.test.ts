import { ENOMEM } from "@nopage/core";
import { expect, it } from "vitest";
import { ghostMm } from "../src/index.ts";
import { answerOf, memoryOf, PAGE, pin, pinWorld } from "./support/pin-world.ts";

it("MUST map the pages a second time without taking the owner's stores from it, and be gone after the last unpin", () => {
  const world = pinWorld();
  const { frames } = world.machine.memory;
  const hooks = world.create(ghostMm);
  world.run(function* (thread) {
    const memory = yield* memoryOf(thread, 2);
    const pinned = yield* pin(hooks, thread, memory, 2);
    const [page] = pinned.pages;
    expect([frames.refcount[page], frames.mapcount[page]]).toEqual([2, 2]);
    expect([...world.machine.mms].filter(({ isGhost }) => isGhost)).toHaveLength(1);
    yield* thread.store(memory, 5);
    yield* world.dma.write((page * PAGE + 4) as never, new Uint8Array([6]));
    expect(yield* thread.load(memory)).toBe(5);
    expect(yield* thread.load(memory + 4)).toBe(6);
    yield* thread.munmap(memory, 2 * PAGE);
    expect([frames.refcount[page], frames.mapcount[page]]).toEqual([1, 1]);
    yield* answerOf(hooks.unpin(pinned, "dirty"));
    expect([...world.machine.mms].filter(({ isGhost }) => isGhost)).toEqual([]);
  });
  expect(world.kinds).toEqual([]);
  expect(world.anonymousPages).toBe(0);
});

it("MUST leave nothing behind when the ghost's page tables cannot be had", () => {
  let mayAllocate = true;
  const allocations = { mayAllocate: (site: string) => mayAllocate || site !== "page-table" };
  const world = pinWorld({ allocations });
  const hooks = world.create(ghostMm);
  world.run(function* (thread) {
    const memory = yield* memoryOf(thread, 1);
    yield* thread.store(memory, 1);
    mayAllocate = false;
    expect(yield* answerOf(hooks.pin(thread.mm, memory, 1, "device-writes"))).toBe(-ENOMEM);
    mayAllocate = true;
    expect(world.machine.mms.size).toBe(1);
  });
  expect(world.anonymousPages).toBe(0);
});
