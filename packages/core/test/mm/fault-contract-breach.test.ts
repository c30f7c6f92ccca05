import { describe, expect, test } from "vitest";
import { VM_MIXEDMAP, VM_PFNMAP } from "../../src/contract/area-flags.ts";
import type { MappableArea } from "../../src/contract/file.ts";
import { type FaultOutcome, mapPage } from "../../src/contract/outcome.ts";
import type { Page } from "../../src/contract/units.ts";
import type { Fault } from "../../src/contract/vm-ops.ts";
import { map, TestDevice, type TestDeviceShape } from "../support/test-device.ts";
import { trapOf, World } from "../support/world.ts";

/** Runs a load against an answer of the driver that breaks its contract: what was seen and what was reported. */
function breach(nopage: (fault: Fault, device: TestDevice) => unknown, shape: TestDeviceShape = {}) {
  const world = new World();
  const device: TestDevice = new TestDevice(world, {
    pages: 2,
    ops: { nopage: (fault) => nopage(fault, device) as FaultOutcome },
    ...shape,
  });
  let seen = "";
  world.run(function* (thread) {
    const at = yield* map(thread, device);
    seen = trapOf(yield* thread.load(at));
  });
  const messages = [...world.messages];
  world.finish(...world.machine.violations.list.map(({ kind }) => kind));
  return { seen, messages };
}

describe("a driver that breaks the contract of nopage", () => {
  test("FR-11 with an errno is reported by name, and the thread gets SIGBUS", () => {
    expect(breach(() => -14)).toEqual({
      seen: "SIGBUS BUS_ADRERR",
      messages: ['test device: nopage answered -14 instead of a fault outcome such as { kind: "sigbus" }'],
    });
  });

  test("FR-11 with a kind that does not exist is reported", () => {
    expect(breach(() => ({ kind: "fine" })).messages[0]).toMatch(
      /^test device: nopage answered kind fine; the kinds are /,
    );
  });

  test("with nothing at all is reported", () => {
    expect(breach(() => undefined).seen).toBe("SIGBUS BUS_ADRERR");
    expect(breach(() => null).messages[0]).toMatch(/^test device: nopage answered null instead of/);
  });

  test("by throwing is reported", () => {
    const { seen, messages } = breach(() => {
      throw new Error("out of order");
    });
    expect(seen).toBe("SIGBUS BUS_ADRERR");
    expect(messages).toEqual(["test device: nopage threw Error: out of order"]);
  });

  test("by throwing after it slept is reported, with the mmap lock given back", () => {
    const { messages } = breach(function* (_fault, device) {
      yield* device.world.kernel.time.sleep(5);
      throw new Error("out of order");
    });
    expect(messages).toEqual(["test device: nopage threw Error: out of order"]);
  });

  test("with a page that has no struct page is reported", () => {
    expect(breach(() => mapPage(100_000 as Page)).messages[0]).toMatch(
      /page 100000, which has no struct page$/,
    );
    expect(breach(() => mapPage(1.5 as Page)).messages[0]).toMatch(/page 1.5, which has no struct page$/);
    expect(breach(() => mapPage(-1 as Page)).messages[0]).toMatch(/page -1, which has no struct page$/);
  });

  test("with a page that is free is reported", () => {
    expect(breach(() => mapPage(90 as Page)).messages[0]).toMatch(/answered page 90, which is free$/);
  });

  test("with a page for an area of bare pfns is reported, and the page given back", () => {
    const { seen, messages } = breach(
      (fault, device) => {
        device.world.machine.memory.frames.get(device.pages[fault.pgoff]);
        return mapPage(device.pages[fault.pgoff]);
      },
      {
        mmap: (area) => {
          area.flags |= VM_PFNMAP;
          return 0;
        },
      },
    );
    expect(seen).toBe("SIGBUS BUS_ADRERR");
    expect(messages[0]).toMatch(/for an area that is VM_PFNMAP$/);
  });

  test.each([-1, 1.5, Number.NaN, 2 ** 41, "7"])("with %s for a frame number is refused", (pfn) => {
    const special = (area: MappableArea): number => {
      area.flags |= VM_PFNMAP;
      return 0;
    };
    const { seen } = breach(() => ({ kind: "pfn", pfn }), { mmap: special });
    expect(seen).toBe("SIGBUS BUS_ADRERR");
  });

  test("with a page from a hook that has none to give is reported", () => {
    const world = new World();
    const device: TestDevice = new TestDevice(world, {
      pages: 1,
      ops: {
        nopagePfn: () => {
          world.machine.memory.frames.get(device.pages[0]);
          return mapPage(device.pages[0]) as never;
        },
      },
      mmap: (area) => {
        area.flags |= VM_MIXEDMAP;
        return 0;
      },
    });
    world.run(function* (thread) {
      expect(trapOf(yield* thread.load(yield* map(thread, device)))).toBe("SIGBUS BUS_ADRERR");
    });
    expect(world.messages).toEqual(["test device: nopagePfn answered a page, which it has none of to give"]);
    world.finish("contract");
  });
});
