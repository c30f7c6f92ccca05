import {
  type Machine,
  ObjectKind,
  owners,
  type Page,
  type Pfn,
  PointAccess,
  PTE_READ,
  PTE_UNCACHED,
  type Sleepable,
} from "@nopage/core";
import { describe, expect, it } from "vitest";
import { kernelThread, missedOutcomes, type Outcome } from "../../support/missed-outcomes.ts";

/** Looks at what a kernel thread can see of a page that lay in the cache at address 0. */
type Look = (machine: Machine, page: Page, outcome: Outcome) => Sleepable<void>;

/** A page whose only copy of what was stored lies in the cache, and a translation of the first CPU. */
function storedInCache({ dataCache, memory, tlbs, geometry }: Machine): Page {
  const page = memory.pages.allocZeroedPage(owners.driver) as Page;
  const store = dataCache?.storeOf(page, 0);
  if (store === undefined) throw new Error("the machine has no cache");
  memory.frames.view.setUint32(store * geometry.pageSize, 7, true);
  // Any will do, as writing back drops them all.
  tlbs[0]?.insert(0, PTE_READ | PTE_UNCACHED, memory.frames.total);
  return page;
}

describe("the writing back of a page in a cache that is indexed virtually MUST be tried before and after", () => {
  it.each<[string, Look]>([
    [
      "a load of the page past the cache",
      function* ({ memory }, page, outcome) {
        outcome.loaded = memory.kernel.load32(memory.directMap.addressOf(page));
      },
    ],
    [
      "the page's coming into the cache at another address",
      function* ({ dataCache, memory, geometry }, page, outcome) {
        const store = dataCache?.storeOf(page, geometry.pageSize) ?? 0;
        outcome["found there"] = memory.frames.view.getUint32(store * geometry.pageSize, true);
      },
    ],
    [
      "a look at a TLB",
      function* ({ sched, tlbs }, _page, outcome) {
        yield sched.at(ObjectKind.tlb, 0, PointAccess.read);
        outcome["is translated"] = tlbs[0]?.lookup(0) !== 0;
      },
    ],
  ])("%s", (_what, look) => {
    const { missed, reached, isComplete } = missedOutcomes(
      (machine, _kernel, outcome) => {
        const page = storedInCache(machine);
        kernelThread(machine, "flushing", function* () {
          machine.dataCache?.flushPage(page as Pfn, 0);
        });
        kernelThread(machine, "looking", () => look(machine, page, outcome));
      },
      { machine: { dataCache: "virtually-indexed" } },
    );
    expect(missed).toEqual([]);
    expect({ reached: reached.length, isComplete }).toEqual({ reached: 2, isComplete: true });
  });
});

it("two pages that come into a full cache MUST come in both orders, which decides what makes room", () => {
  const { missed, reached, isComplete } = missedOutcomes(
    (machine, _kernel, outcome) => {
      const { dataCache, memory, geometry } = machine;
      const takePage = () => memory.pages.allocZeroedPage(owners.driver) as Page;
      const first = takePage();
      // An eighth of RAM is the cache's.
      for (let at = 0; at < 32 / 8; at++) dataCache?.storeOf(first, at * geometry.pageSize);
      for (const page of [takePage(), takePage()]) {
        kernelThread(machine, `page ${page}`, function* () {
          outcome[`where page ${page} lies`] = dataCache?.storeOf(page, 0);
        });
      }
    },
    { machine: { dataCache: "virtually-indexed", ramPages: 32 } },
  );
  expect(missed).toEqual([]);
  expect({ reached: reached.length, isComplete }).toEqual({ reached: 2, isComplete: true });
});
