import { owners, type Page, PG_hwpoison } from "@nopage/core";
import { expect, it } from "vitest";
import { setHardware } from "#src/model/broken-hardware";
import { showMemory } from "#src/shown-memory";
import { kernelThread, missedOutcomes } from "../../support/missed-outcomes.ts";

it("a driver's giving back of its pages and the put_page of whoever holds one MUST be tried in both orders", () => {
  const { missed, reached, isComplete } = missedOutcomes((machine, kernel, outcome) => {
    const { frames } = machine.memory;
    const shown = showMemory(machine, "page-array", 1);
    const [page] = shown.memory.kind === "page-array" ? shown.memory.list : [];
    if (page === undefined) throw new Error("the driver has no page");
    frames.get(page);
    kernelThread(machine, "driver", function* () {
      shown.release();
      outcome["references left by the driver"] = frames.refcount[page];
    });
    kernelThread(machine, "holder", function* () {
      yield* kernel.pages.put(page);
    });
  });
  expect(missed).toEqual([]);
  expect({ reached: reached.length, isComplete }).toEqual({ reached: 2, isComplete: true });
});

it("a look at a page and the breaking of its hardware MUST be tried in both orders", () => {
  const { missed, reached, isComplete } = missedOutcomes((machine, kernel, outcome) => {
    const { pages, frames } = machine.memory;
    const page = pages.allocPage(owners.driver) as Page;
    kernelThread(machine, "breaking", function* () {
      setHardware(machine, page, "broken");
    });
    kernelThread(machine, "looking", function* () {
      kernel.pages.mayBeMapped(page);
      outcome["is broken"] = frames.hasFlags(page, PG_hwpoison);
    });
  });
  expect(missed).toEqual([]);
  expect({ reached: reached.length, isComplete }).toEqual({ reached: 2, isComplete: true });
});

it("the freeing of a block and the mending of a page inside it, which is lost otherwise, MUST be tried in both orders", () => {
  const { missed, reached, isComplete } = missedOutcomes((machine) => {
    const { pages } = machine.memory;
    const block = pages.getFreePages(1, "compound", owners.driver) as Page;
    const inside = (block + 1) as Page;
    setHardware(machine, inside, "broken");
    kernelThread(machine, "freeing", function* () {
      pages.freePages(block, 1);
    });
    kernelThread(machine, "mending", function* () {
      setHardware(machine, inside, "whole");
    });
  });
  expect(missed).toEqual([]);
  expect({ reached: reached.length, isComplete }).toEqual({ reached: 2, isComplete: true });
});
