import type { PciFunctionShape } from "@nopage/core";
import { createKernel, Machine } from "@nopage/core";
import { lazyNopage } from "@nopage/lazy-nopage";
import { pageLookup } from "@nopage/page-lookup";
import { describe, expect, it } from "vitest";
import { HIGHWAY_PATH, type LoadedHighway, plugHighway } from "../../src/index.ts";
import { errno, open } from "../support/programs.ts";
import { buildWorld, combinations, holdings, inKernel, load } from "../support/worlds.ts";

/** What a machine without the driver has; modules that were unloaded are remembered, so they are not counted. */
function emptiness(machine: Machine) {
  return {
    ...holdings(machine),
    paths: machine.devices.paths(),
    functions: machine.pci.functions(),
    loaded: machine.devices.modules.filter(({ isLoaded }) => isLoaded),
    windows: machine.memory.io.list(),
    alive: machine.sched.tasks.filter(({ state }) => state !== "done").map(({ name }) => name),
  };
}

describe("loading and unloading the driver", () => {
  it.each(combinations)("%s showing %s: an unload MUST leave nothing behind", (_name, backing, strategy) => {
    const machine = new Machine();
    const before = emptiness(machine);
    const driver = load(machine, { strategy, highway: { backing } });
    if (typeof driver === "number") throw new Error(`load answered ${driver}`);
    expect(machine.devices.paths()).toEqual([HIGHWAY_PATH]);
    expect(driver.backing).toBe(backing);
    expect(inKernel(machine, () => driver.unload())).toBe(0);
    expect(emptiness(machine)).toEqual(before);
    expect(errno(inKernel(machine, () => driver.unload()))).toBe("-ENOENT");
  });

  it("MUST use the card that is in a slot, and leave it there", () => {
    const machine = new Machine();
    const plugged = plugHighway(createKernel(machine), { interfaces: 2 });
    const driver = load(machine, { highway: { interfaces: 7 } }) as LoadedHighway;
    expect(driver.interfaces).toBe(2);
    expect(inKernel(machine, () => driver.unload())).toBe(0);
    expect(machine.pci.functions()).toEqual([plugged]);
  });

  it("MUST answer -ENODEV for a function with the card's ids that does not answer as one", () => {
    const machine = new Machine();
    const device = { read: () => 0xffff_ffff, write: () => undefined };
    const shape: PciFunctionShape = {
      name: "dead card",
      vendorId: 0x1234,
      deviceId: 0x11e8,
      bars: [
        { bytes: 2 ** 20, device },
        { bytes: 2 ** 17, device },
      ],
      interrupts: "level",
      dmaBits: 28,
    };
    machine.pci.plug(shape);
    const before = emptiness(machine);
    expect(errno(load(machine) as number)).toBe("-ENODEV");
    expect(emptiness(machine)).toEqual(before);
  });

  it("MUST answer -EBUSY when its name is taken, with nothing left behind", () => {
    const machine = new Machine();
    machine.devices.register(HIGHWAY_PATH, { name: "squatter", owner: undefined });
    const before = emptiness(machine);
    expect(errno(load(machine) as number)).toBe("-EBUSY");
    expect(emptiness(machine)).toEqual(before);
  });

  it("MUST leave nothing behind whichever of its allocations fails", () => {
    for (const kind of ["linear", "vmalloc", "page-array"] as const) {
      const answers: (number | string)[] = [];
      for (let failing = 0; answers.at(-1) !== "loaded"; failing++) {
        let left = Number.POSITIVE_INFINITY;
        const machine = new Machine({ allocations: { mayAllocate: () => left-- > 0 } });
        const before = emptiness(machine);
        left = failing;
        const driver = load(machine, { strategy: pageLookup, highway: { backing: kind } });
        left = Number.POSITIVE_INFINITY;
        answers.push(typeof driver === "number" ? errno(driver) : "loaded");
        if (typeof driver === "number") expect(emptiness(machine)).toEqual(before);
      }
      expect(new Set(answers)).toEqual(new Set(["-ENOMEM", "loaded"]));
    }
  });

  it.each([
    [{ interface: 2 }, /no option interface; the options are backing, interfaces/],
    [{ interfaces: 99 }, /interfaces is 99; expected an integer from 1 to 15/],
    [{ backing: "vmalloc" }, /backing is vmalloc, but lazy-nopage shows only: pfn-run, page-array/],
    [{ backing: "io" }, /backing is "io"; expected pfn-run, page-array/],
    [7, /options are 7, not an object/],
  ])("MUST refuse the options %j with what was expected, and leave nothing behind", (options, message) => {
    const machine = new Machine();
    const before = emptiness(machine);
    expect(() => load(machine, { strategy: lazyNopage, highway: options as never })).toThrow(message);
    const { failures, ...rest } = emptiness(machine);
    const { failures: _none, ...clean } = before;
    expect(rest).toEqual(clean);
    expect(failures).toHaveLength(1);
  });

  it("MUST refuse an unload with EWOULDBLOCK, which is EAGAIN, while the device is open, and change nothing", () => {
    const world = buildWorld();
    world.machine.spawn("user", function* (thread) {
      const file = yield* open(thread);
      expect(errno(yield* world.driver.unload())).toBe("-EAGAIN");
      expect(world.machine.devices.paths()).toEqual([HIGHWAY_PATH]);
      expect(yield* thread.close(file)).toBe(0);
      expect(errno(yield* world.driver.unload())).toBe(0);
      expect(errno(yield* open(thread))).toBe("-ENOENT");
    });
    expect(world.run().status).toBe("finished");
    expect(holdings(world.machine)).toMatchObject({ failures: [], violations: [], uses: 0 });
  });
});
