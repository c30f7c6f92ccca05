import { type BusAddress, type KernelAddress, owners, type Page, type Sleepable } from "@nopage/core";
import { describe, expect, it } from "vitest";
import { kernelThread, missedOutcomes, type Setting } from "../../support/missed-outcomes.ts";
import { plugCard } from "../../support/plug-card.ts";

/** One kernel thread that stores to memory of the kernel by its address, and one that does something else. */
function storing(
  act: (own: Parameters<Setting>, page: Page, address: KernelAddress) => Sleepable<void>,
): Setting {
  return (...own) => {
    const [machine] = own;
    const { pages, directMap, kernel } = machine.memory;
    const page = pages.allocZeroedPage(owners.driver) as Page;
    const address = directMap.addressOf(page);
    kernelThread(machine, "storing", function* () {
      kernel.store32(address, 7);
    });
    kernelThread(machine, "other", () => act(own, page, address));
  };
}

describe("a store by an address of the kernel MUST be tried before and after", () => {
  it.each<[string, Setting]>([
    [
      "a load by it",
      storing(function* ([{ memory }, , outcome], _page, address) {
        outcome.loaded = memory.kernel.load32(address);
      }),
    ],
    [
      "a copy from it",
      storing(function* ([{ memory, geometry }, , outcome], _page, address) {
        const copy = memory.directMap.addressOf(memory.pages.allocPage(owners.driver) as Page);
        memory.kernel.copy(copy, address, geometry.pageSize);
        outcome.copied = memory.kernel.load32(copy);
      }),
    ],
    [
      "a device's read of it",
      storing(function* ([machine, , outcome], page) {
        const { dma } = plugCard(machine);
        const bytes = new Uint8Array(1);
        yield* dma.read((page * machine.geometry.pageSize) as BusAddress, bytes);
        outcome.read = bytes[0];
      }),
    ],
    [
      "the page's freeing, which makes it a use after free",
      storing(function* ([{ memory }], page) {
        memory.pages.freePages(page, 0);
      }),
    ],
  ])("%s", (_what, setting) => {
    const { missed, reached, isComplete } = missedOutcomes(setting);
    expect(missed).toEqual([]);
    expect({ reached: reached.length, isComplete }).toEqual({ reached: 2, isComplete: true });
  });

  it("the freeing of memory of kmalloc", () => {
    const { missed, reached, isComplete } = missedOutcomes((machine) => {
      const { kmalloc, kernel } = machine.memory;
      const address = kmalloc.kzalloc(64) as KernelAddress;
      kernelThread(machine, "storing", function* () {
        kernel.store32(address, 7);
      });
      kernelThread(machine, "freeing", function* () {
        kmalloc.kfree(address);
      });
    });
    expect(missed).toEqual([]);
    expect({ reached: reached.length, isComplete }).toEqual({ reached: 2, isComplete: true });
  });
});

it("the copying of a frame and a look at the frame that it is copied to MUST be tried in both orders", () => {
  const { missed, reached, isComplete } = missedOutcomes((machine, _kernel, outcome) => {
    const { pages, kernel, directMap } = machine.memory;
    const from = pages.allocZeroedPage(owners.driver) as Page;
    const to = pages.allocZeroedPage(owners.driver) as Page;
    kernel.store32(directMap.addressOf(from), 7);
    kernelThread(machine, "copying", function* () {
      machine.memory.copyFrame(to, from);
    });
    kernelThread(machine, "looking", function* () {
      outcome.loaded = kernel.load32(directMap.addressOf(to));
    });
  });
  expect(missed).toEqual([]);
  expect({ reached: reached.length, isComplete }).toEqual({ reached: 2, isComplete: true });
});
