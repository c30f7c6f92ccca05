import { type Area, owners, type Page, type UserAddress, VM_MIXEDMAP, VM_READ, VM_WRITE } from "@nopage/core";
import { expect, it } from "vitest";
import { kernelThread, missedOutcomes } from "../../support/missed-outcomes.ts";

it("insertPage and a load of its address MUST be tried in both orders, while others hold the page", () => {
  const { missed, reached, isComplete } = missedOutcomes((machine, kernel, outcome) => {
    const page = machine.memory.pages.allocZeroedPage(owners.driver) as Page;
    let mapped: Area | undefined;
    machine.devices.register("/dev/x", {
      name: "device",
      owner: undefined,
      mmap(_file, area) {
        mapped = area;
        area.ops = { name: "device", nopage: () => ({ kind: "sigbus" }) };
        area.flags |= VM_MIXEDMAP;
        return 0;
      },
    });
    const left = kernel.sync.shared("left", 2);
    const done = kernel.sync.waitQueue("done");
    machine.spawn("user", function* (thread) {
      const descriptor = yield* thread.open({ path: "/dev/x", mode: "read-write", blocking: "blocking" });
      const address = yield* thread.mmap({
        descriptor,
        length: machine.geometry.pageSize,
        protection: VM_READ | VM_WRITE,
        sharing: "shared",
      });
      const area = mapped;
      if (area === undefined) throw new Error(`mmap answered ${address}`);
      kernelThread(machine, "insert", function* () {
        yield* thread.mm.lock.read();
        outcome.insert = yield* kernel.mappings.insertPage(area, address as UserAddress, page);
        thread.mm.lock.unlockRead();
        yield* left.update((count) => count - 1);
        yield* done.wakeAll();
      });
      kernelThread(machine, "holder", function* () {
        yield* kernel.pages.get(page);
        yield* kernel.pages.put(page);
        yield* left.update((count) => count - 1);
        yield* done.wakeAll();
      });
      outcome.load = yield* thread.load(address);
      yield* done.waitUntil(function* () {
        return (yield* left.get()) === 0;
      }, "uninterruptible");
    });
  });
  expect(missed).toEqual([]);
  expect({ reached: reached.length, isComplete }).toEqual({ reached: 2, isComplete: true });
});
