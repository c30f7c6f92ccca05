import {
  type BusAddress,
  DmaPort,
  owners,
  type Page,
  type UserAddress,
  VM_READ,
  VM_WRITE,
} from "@nopage/core";
import { expect, it } from "vitest";
import { kernelThread, missedOutcomes } from "../../support/missed-outcomes.ts";

it("a burst of a device MUST be tried before and after it is cut off from the bus", () => {
  const { missed, reached, isComplete } = missedOutcomes(
    (machine, _kernel, outcome) => {
      const port = new DmaPort(machine, "card", 32);
      const page = machine.memory.pages.allocZeroedPage(owners.driver) as Page;
      const { pageSize } = machine.geometry;
      kernelThread(machine, "engine", function* () {
        yield* port.write((page * pageSize) as BusAddress, Uint8Array.of(7));
        outcome["stored"] = machine.memory.frames.bytes[page * pageSize];
      });
      kernelThread(machine, "slot", function* () {
        port.cutOff();
      });
    },
    { random: 200 },
  );
  expect(missed).toEqual([]);
  expect({ reached, isComplete }).toEqual({ reached: ['{"stored":0}', '{"stored":7}'], isComplete: true });
});

it("a burst into a private page MUST be tried before and after a fork has shared it", () => {
  const { missed, reached, isComplete } = missedOutcomes(
    (machine, { user }) => {
      const port = new DmaPort(machine, "card", 32);
      const { pageSize } = machine.geometry;
      machine.spawn("process", function* (thread) {
        const protection = VM_READ | VM_WRITE;
        const at = (yield* thread.mmap({ length: pageSize, protection, sharing: "private" })) as UserAddress;
        yield* thread.store(at, 1);
        const request = { access: "write", hold: "reference", permission: "checked" } as const;
        const pages = yield* user.getPages(thread.mm, at, 1, request);
        if (typeof pages === "number") throw new Error(`getPages answered ${pages}`);
        port.map({ mm: thread.mm, start: at, pages, access: "device-writes" });
        kernelThread(machine, "engine", () =>
          port.write(((pages[0] as Page) * pageSize) as BusAddress, Uint8Array.of(7)),
        );
        yield* thread.fork(function* (own) {
          yield* own.nanosleep(1_000);
        });
      });
    },
    { random: 300 },
  );
  expect(missed).toEqual([]);
  expect(isComplete).toBe(true);
  expect(reached.some((outcome) => outcome.includes("which a fork has shared"))).toBe(true);
  expect(reached.some((outcome) => !outcome.includes("which a fork has shared"))).toBe(true);
});
