import { owners, type Page } from "@nopage/core";
import { expect, it } from "vitest";
import { kernelThread, missedOutcomes } from "../../support/missed-outcomes.ts";

it("the owner's free_pages and the last put_page MUST be tried in both orders", () => {
  const { missed, reached, isComplete } = missedOutcomes((machine, kernel, outcome) => {
    const { pages, frames } = machine.memory;
    const page = pages.allocPage(owners.driver) as Page;
    frames.get(page);
    kernelThread(machine, "owner", function* () {
      outcome["freed by its owner"] = pages.freePages(page, 0);
    });
    kernelThread(machine, "holder", function* () {
      yield* kernel.pages.put(page);
    });
  });
  expect(missed).toEqual([]);
  expect({ reached: reached.length, isComplete }).toEqual({ reached: 2, isComplete: true });
});
