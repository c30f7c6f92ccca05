import { type Page, type Pfn, retryNow, retryWhenOpen, VM_PFNMAP } from "@nopage/core";
import { markOf } from "../../mark.ts";
import { claimMarkedWindow } from "../../marked-window.ts";
import { mustBe, SIGBUS, succeed } from "../../program/expect.ts";
import { user } from "../../program/user.ts";
import { createTestDevice } from "../../test-device.ts";
import type { LawCase } from "../law.ts";
import { ownDevice } from "../support/own-device.ts";
import { mapPlanted, openPlanted } from "../support/planted-device.ts";

/** Handlers that answer with retry, for FR-07. */
export const retryingHandlers: readonly LawCase[] = [
  ...[retryNow, retryWhenOpen].map(
    (retry): LawCase => ({
      when: `a handler without a gate that has itself asked again, ${retry.until}`,
      schedule: "sequential",
      executor: "model",
      kinds: "one",
      *program() {
        let times = 0;
        const device = yield* ownDevice({
          ops: ({ kernel, pages }) => ({
            nopage: () => (++times < 4 ? retry : kernel.pages.handOver(pages[0] as Page)),
          }),
        });
        const { address } = yield* device.mapped();
        mustBe("the load", yield* user.load(address), markOf(0));
        mustBe("how often the handler was asked", times, 4);
        yield* device.release();
      },
    }),
  ),
  {
    when: "a handler that has itself asked again although its device is gone",
    schedule: "sequential",
    executor: "model",
    kinds: "one",
    *program() {
      const path = "/dev/gone";
      const pages = yield* user.kernel(function* ({ machine, kernel }) {
        const { pageSize } = machine.geometry;
        const { range } = claimMarkedWindow(machine, 1);
        const supports = {
          populate: "lazy",
          backing: ["pfn-run"],
          whileRevoked: "wait",
          mremapGrow: false,
          holes: false,
          largeLeaves: false,
          countsPages: [],
          privateWritable: [],
        } as const;
        const create = () => ({ mmap: () => ({ name: "waits for ever", nopage: () => retryWhenOpen }) });
        const strategy = { name: "waits for ever", supports, create };
        const memory = { kind: "pfn-run", pfn: range.startPfn as Pfn } as const;
        const { binding } = createTestDevice(machine, kernel, strategy, { path, memory, pages: 1 });
        return { binding, pageSize };
      });
      const { binding, pageSize } = pages;
      const planted = { path, frame: () => 0 as Pfn };
      const descriptor = yield* openPlanted(planted);
      const address = yield* succeed("mmap", mapPlanted(planted, pageSize, { descriptor }));
      yield* user.kernel(() => binding.remove());
      mustBe("a load from a device that is gone", yield* user.load(address), SIGBUS);
      // What was taken away twice, and given back more often than taken, is gone all the same.
      yield* user.kernel(() => binding.quiesce());
      yield* user.kernel(() => binding.resume());
      mustBe("the gate of a device that is gone", binding.backing.gate.state, "gone");
      mustBe("a load from it afterwards", yield* user.load(address), SIGBUS);
      yield* user.close(descriptor);
    },
  },
];

/** What a handler is told on a machine without checkers, for FR-16: both hooks, at once and after others were asked. */
export const unwatchedHandlers: readonly LawCase[] = (["nopage", "nopagePfn"] as const).map((hook) => ({
  when: `${hook} on a machine that nobody watches`,
  schedule: "sequential",
  executor: "model",
  kinds: "one",
  machine: { sanitizers: "cheap" },
  *program() {
    const told: string[] = [];
    const device = yield* ownDevice({
      faults: "not-answered",
      mmap(area) {
        area.flags |= VM_PFNMAP;
        return 0;
      },
      ops: ({ pages }) => ({
        [hook]: ({ address, pgoff, access }: { address: number; pgoff: number; access: string }) => {
          told.push(`${access} ${pgoff} ${address}`);
          return { kind: "pfn", pfn: pages[pgoff] };
        },
      }),
    });
    const { pageSize } = device.machine.geometry;
    const { address } = yield* device.mapped({ first: 1 });
    mustBe("a load from the middle of a page", yield* user.load(address + pageSize + 8), 0);
    mustBe("its mark", yield* user.load(address + pageSize), markOf(2));
    mustBe("a store", yield* user.store(address + 2 * pageSize + 4, 7), undefined);
    mustBe("what the handler was told", told, [
      `read 2 ${address + pageSize}`,
      `write 3 ${address + 2 * pageSize}`,
    ]);
    yield* user.munmap(address, 3 * pageSize);
    yield* device.release();
  },
}));
