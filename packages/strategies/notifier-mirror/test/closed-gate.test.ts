import {
  createKernel,
  EFAULT,
  isGenerator,
  Machine,
  type MaySleep,
  type Pinned,
  type Sleepable,
  type UserAddress,
  VM_READ,
  VM_WRITE,
} from "@nopage/core";
import { describe, expect, it } from "vitest";
import { noneInterval, noneNotifier } from "../src/index.ts";

function* answerOf<T>(answer: MaySleep<T>): Sleepable<T> {
  return isGenerator(answer) ? yield* answer : (answer as T);
}

/** Pins a page of a memory file whose gate is closed for so long, in virtual ns; whether it was, or the errno. */
function pinBehindGate(policy: typeof noneNotifier, closedNs: number): number | "pinned" {
  const machine = new Machine({ ramPages: 64 });
  const kernel = createKernel(machine);
  const bytes = machine.geometry.pageSize;
  const hooks = policy.create(kernel);
  const results: (number | "pinned")[] = [];
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
    const gate = thread.mm.areas.find(start)?.backing?.gate;
    if (gate === undefined) throw new Error("a memory file has a gate");
    // As a truncation has it for its time.
    yield* gate.close();
    kernel.time.spawnKernelThread(
      "truncation",
      function* () {
        yield* kernel.time.sleep(closedNs);
        yield* gate.open();
      },
      "required",
    );
    const token: Pinned | number = yield* answerOf(hooks.pin(thread.mm, start, 1, "device-writes"));
    results.push(typeof token === "number" ? token : "pinned");
    if (typeof token !== "number") yield* answerOf(hooks.unpin(token, "clean"));
  });
  expect(machine.sched.run().status).toBe("finished");
  for (const { failure } of machine.sched.tasks) if (failure !== undefined) throw failure;
  expect(machine.violations.list).toEqual([]);
  return results[0] ?? "pinned";
}

describe.each([noneNotifier, noneInterval])("$name and a page behind a closed gate", (policy) => {
  it("MUST wait a while, as a pin does, and succeed when the gate opens", () => {
    expect(pinBehindGate(policy, 5000)).toBe("pinned");
  });

  it("MUST give up after that with EFAULT, and not with the EAGAIN of a busy device", () => {
    expect(pinBehindGate(policy, 1_000_000)).toBe(-EFAULT);
  });
});
