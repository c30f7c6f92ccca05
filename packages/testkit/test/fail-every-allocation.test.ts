import { ENOMEM, failAt, failFrom, type failNone, failNth, Machine, owners } from "@nopage/core";
import { describe, expect, it } from "vitest";
import { failEveryAllocation } from "../src/index.ts";

const build = (allocations: Machine["settings"]["allocations"]) => ({
  machine: new Machine({ allocations }),
});

describe("gates that refuse allocations", () => {
  const take = (gate: ReturnType<typeof failNone>, ...sites: string[]) =>
    sites.map((site) => gate.mayAllocate(site));

  it("MUST refuse the nth allocation and no other", () => {
    const gate = failNth(2);
    expect(take(gate, "a", "b", "c")).toEqual([true, false, true]);
    expect(gate).toMatchObject({ asked: ["a", "b", "c"], refused: "b" });
  });

  it("MUST refuse the nth of one site", () => {
    expect(take(failAt("b", 2), "b", "a", "b", "b")).toEqual([true, true, false, true]);
  });

  it("MUST refuse all from the nth on", () => {
    expect(take(failFrom(2), "a", "b", "c")).toEqual([true, false, false]);
  });

  it("MUST neither count nor refuse while the injection is off", () => {
    const gate = failNth(1, "off");
    expect(take(gate, "a")).toEqual([true]);
    gate.injection = "on";
    expect(take(gate, "b")).toEqual([false]);
    expect(gate.asked).toEqual(["b"]);
  });
});

describe("failEveryAllocation", () => {
  it("MUST run once for each allocation, and answer what the program answered", () => {
    const trials = failEveryAllocation({
      name: "two pages",
      build,
      *program({ world, inject }) {
        const { pages, frames } = world.machine.memory;
        const taken = yield* inject(function* () {
          return [pages.allocPage(owners.driver), pages.allocPage(owners.driver)];
        });
        for (const page of taken) if (page !== undefined) frames.put(page);
        return taken.map((page) => (page === undefined ? -ENOMEM : 0));
      },
    });
    expect(trials).toEqual([
      { nth: 1, site: "alloc_pages", answer: [-ENOMEM, 0] },
      { nth: 2, site: "alloc_pages", answer: [0, -ENOMEM] },
    ]);
  });

  it("MUST name the allocation after which something is left over", () => {
    const leaky = () =>
      failEveryAllocation({
        name: "a driver that forgets",
        build,
        *program({ world, inject }) {
          const { pages, frames } = world.machine.memory;
          yield* inject(function* () {
            const first = pages.allocPage(owners.driver);
            const second = pages.allocPage(owners.driver);
            if (first === undefined || second === undefined) return;
            frames.put(first);
            frames.put(second);
          });
        },
      });
    expect(leaky).toThrow(
      /a driver that forgets with allocation 1 \(alloc_pages\) refused: freeFrames was \d+ and is/,
    );
  });

  it("MUST say what is inconsistent right after the operation, though it is put right later", () => {
    const untidy = () =>
      failEveryAllocation({
        name: "a half state",
        build,
        *program({ world, inject }) {
          const { pages, frames } = world.machine.memory;
          const page = pages.allocPage(owners.driver)!;
          yield* inject(function* () {
            if (pages.allocPage(owners.driver) === undefined) frames.mapcount[page] = 1;
            else frames.put((page + 1) as typeof page);
          });
          frames.mapcount[page] = 0;
          frames.put(page);
        },
      });
    expect(untidy).toThrow(
      /with allocation 1 \(alloc_pages\) refused: .*counts 1 mappings, but 0 entries map it/,
    );
  });

  it("MUST refuse an operation that allocates nothing: it would be tried never", () => {
    expect(() => failEveryAllocation({ name: "nothing", build, *program() {} })).toThrow(
      "nothing allocates nothing",
    );
  });
});
