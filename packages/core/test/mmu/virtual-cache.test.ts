import { expect, test } from "vitest";
import type { Pfn } from "../../src/contract/units.ts";
import { Machine } from "../../src/machine.ts";
import { owners } from "../../src/memory/owners.ts";

const RAM_PAGES = 64;

test("a machine that takes over the memory of one with a cache MUST find zeros in what is given out zeroed", () => {
  const scrapped = new Machine({ dataCache: "virtually-indexed", ramPages: RAM_PAGES });
  const { memory, dataCache, geometry } = scrapped;
  const page = memory.pages.allocZeroedPage(owners.driver) as number as Pfn;
  memory.kernel.fill(memory.directMap.addressOf(page), 7, geometry.pageSize);
  dataCache?.storeOf(page, 0);
  const machine = new Machine({ ramPages: RAM_PAGES }, scrapped);
  const { pages, kernel, directMap } = machine.memory;
  let first = pages.allocZeroedPage(owners.driver);
  let found = 0;
  for (; first !== undefined; first = pages.allocZeroedPage(owners.driver))
    found += kernel.load8(directMap.addressOf(first));
  expect(found).toBe(0);
});
