import {
  type FaultOutcome,
  isGenerator,
  type Machine,
  mapPfn,
  type Pfn,
  type Sleepable,
  sigbus,
  VM_PFNMAP,
  VM_READ,
  VM_WRITE,
} from "@nopage/core";
import { mustBe, mustReach, succeed } from "../../program/expect.ts";
import { user } from "../../program/user.ts";
import type { LawCase } from "../law.ts";
import { mustHaveGrown, residentPages } from "../support/accounts.ts";
import { bareFrames } from "../support/bare-frames.ts";
import { ownDevice } from "../support/own-device.ts";

/** A word of the page that the other thread does not store to. */
const OTHER_WORD = 8;

/** FR-12: two threads that are both on the way to the same entry. */
export const meetingCases: readonly LawCase[] = [
  ...(["a page", "a bare frame"] as const).map(
    (what): LawCase => ({
      when: `a handler that takes its time to answer with ${what}`,
      schedule: "sequential",
      executor: "model",
      kinds: "one",
      *program({ subject: { pageSize } }) {
        let asked = 0;
        const device = yield* ownDevice({
          mmap: (area) => {
            if (what === "a bare frame") area.flags |= VM_PFNMAP;
            return 0;
          },
          ops: ({ kernel, pages }) => ({
            *nopage({ pgoff }): Sleepable<FaultOutcome> {
              asked++;
              yield* kernel.time.sleep(1000);
              const page = pages[pgoff];
              if (page === undefined) return sigbus;
              if (what === "a bare frame") return mapPfn(page as Pfn);
              const outcome = kernel.pages.handOver(page);
              return isGenerator(outcome) ? yield* outcome : outcome;
            },
          }),
        });
        const { address } = yield* device.mapped();
        const before = yield* residentPages();
        const other = yield* user.thread(function* () {
          mustBe("a load by the other", yield* user.load(address), device.markOf(0));
        }, "other");
        mustBe("a load", yield* user.load(address), device.markOf(0));
        yield* user.join(other);
        mustBe("how often the handler was asked", asked, 2);
        const counted = what === "a page" ? 1 : 0;
        mustBe("references beside the driver's own", device.extraReferences(), [counted, 0, 0, 0]);
        yield* mustHaveGrown("both loads", before, counted);
        yield* user.munmap(address, 4 * pageSize);
        mustBe("references after munmap", device.extraReferences(), [0, 0, 0, 0]);
        yield* device.release();
      },
    }),
  ),
  {
    when: "private memory that both store to",
    schedule: "racy",
    executor: "model",
    kinds: "one",
    orders: 24,
    *program({ subject: { pageSize } }) {
      const request = { length: pageSize, protection: VM_READ | VM_WRITE, sharing: "private" } as const;
      const own = yield* succeed("mmap of private memory", user.mmap(request));
      const frames = freeFrames(yield* machineOf());
      let stored = 0;
      function* store(at: number, value: number) {
        mustReach("a store", yield* user.store(at, value));
        if (++stored < 2) return;
        mustBe("the first word once both have stored", yield* user.load(own), 2);
        mustBe("the other word", yield* user.load(own + OTHER_WORD), 3);
        mustBe("the frames that both have taken", frames - freeFrames(yield* machineOf()), 1);
      }
      yield* user.thread(() => store(own + OTHER_WORD, 3), "other");
      yield* store(own, 2);
    },
  },
  {
    when: "a private mapping of bare frames that both store to",
    schedule: "racy",
    executor: "model",
    kinds: "one",
    orders: 24,
    *program() {
      const frames = yield* bareFrames(1);
      const own = yield* frames.map({ sharing: "private" });
      const shown = yield* frames.map();
      const other = yield* user.thread(function* () {
        mustReach("a store by the other", yield* user.store(own + OTHER_WORD, 3));
      }, "other");
      mustReach("a store", yield* user.store(own, 2));
      yield* user.join(other);
      mustBe("the first word", yield* user.load(own), 2);
      mustBe("the other word", yield* user.load(own + OTHER_WORD), 3);
      mustBe("the register", yield* user.load(shown), frames.markOf(0));
    },
  },
];

function* machineOf() {
  return yield* user.kernel(function* ({ machine }) {
    return machine;
  });
}

function freeFrames({ memory }: Machine): number {
  return memory.freeFrames;
}
