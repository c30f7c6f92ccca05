import {
  createKernel,
  DmaPort,
  isGenerator,
  Machine,
  type MaySleep,
  type Page,
  type PinningPolicy,
  type Sleepable,
  type UserAddress,
  VM_READ,
  VM_WRITE,
} from "@nopage/core";
import { describe, expect, it } from "vitest";
import { policies } from "../support/kill-worlds.ts";

function* answerOf<T>(answer: MaySleep<T>): Sleepable<T> {
  return isGenerator(answer) ? yield* answer : (answer as T);
}

/** Has a page of a memory file held, written by the device or not, and given back; whether it is dirty afterwards. */
function isDirtyAfter(policy: PinningPolicy, contents: "clean" | "dirty"): boolean {
  const machine = new Machine({ ramPages: 64 });
  const kernel = createKernel(machine);
  const { frames } = machine.memory;
  const bytes = machine.geometry.pageSize;
  const hooks = policy.create(kernel);
  const port = new DmaPort(machine, "test device", 52);
  const seen: boolean[] = [];
  machine.spawn("user", function* (thread) {
    const file = yield* thread.memfdCreate("buffer");
    yield* thread.ftruncate(file, bytes);
    const mapping = {
      length: bytes,
      protection: VM_READ | VM_WRITE,
      sharing: "shared",
      descriptor: file,
    } as const;
    const start = (yield* thread.mmap(mapping)) as UserAddress;
    const pinned = yield* answerOf(hooks.pin(thread.mm, start, 1, "device-writes"));
    if (typeof pinned === "number") throw new Error(`pin answered ${pinned}`);
    const page = Math.floor(thread.mm.table.entryOf(start / bytes) / 4096) as Page;
    const isDirty = () => frames.describe(page).includes("dirty");
    expect(isDirty()).toBe(false);
    port.map(pinned);
    if (contents === "dirty") {
      const data = Uint8Array.of(9);
      if (pinned.follower === undefined) yield* port.write((page * bytes) as never, data);
      else yield* port.writeThrough(pinned.follower, start, data);
    }
    port.unmap(pinned);
    yield* answerOf(hooks.unpin(pinned, contents));
    seen.push(isDirty());
  });
  expect(machine.sched.run().status).toBe("finished");
  for (const { failure } of machine.sched.tasks) if (failure !== undefined) throw failure;
  expect(machine.violations.list).toEqual([]);
  return seen[0] ?? false;
}

describe.each(policies)("GP-10 $name", (policy) => {
  it("MUST leave a page dirty that the device wrote", () => {
    expect(isDirtyAfter(policy, "dirty")).toBe(true);
  });

  it("MUST NOT make a page dirty that the device did not write", () => {
    expect(isDirtyAfter(policy, "clean")).toBe(false);
  });
});
