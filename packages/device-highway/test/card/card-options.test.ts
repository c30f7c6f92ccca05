import { createKernel, Machine } from "@nopage/core";
import { describe, expect, it } from "vitest";
import { HighwayCard, plugHighway, settleCard } from "../../src/index.ts";

describe("building a card", () => {
  it("MUST name every option that is wrong, its value and what was expected", () => {
    const wrong = { interfaces: 16, burstBytes: 0, burstNs: 1.5, interrupts: "edge" as never };
    expect(() => settleCard(wrong)).toThrow(RangeError);
    expect(() => settleCard(wrong)).toThrow(
      /interfaces is 16; .* 1 to 15; burstBytes is 0; .*burstNs is 1.5; .*interrupts is "edge"; expected "level" or "message"/,
    );
  });

  it("MUST have edu's ids, 1 MiB in BAR0 and at least 64 KiB in BAR1", () => {
    const card = new HighwayCard(createKernel(new Machine()));
    expect([card.vendorId, card.deviceId]).toEqual([0x1234, 0x11e8]);
    expect(card.bars.map(({ bytes }) => bytes)).toEqual([2 ** 20, 2 ** 17]);
  });

  it.each(["x86-64", "i386", "alpha", "arm64-64k"] as const)(
    "MUST fit into a machine of geometry %s",
    (geometry) => {
      const machine = new Machine({ geometry });
      const plugged = plugHighway(createKernel(machine));
      expect(plugged).toMatchObject({ windows: [{ name: "highway BAR0" }, { name: "highway BAR1" }] });
    },
  );
});
