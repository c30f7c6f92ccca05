import {
  createKernel,
  definePinningPolicy,
  ENOMEM,
  failAt,
  type PinningHooks,
  runToBlock,
} from "@nopage/core";
import { lazyNopage } from "@nopage/lazy-nopage";
import { refcount } from "@nopage/pinning";
import { describe, expect, it } from "vitest";
import { acquire, loadSignal } from "../../src/index.ts";
import { open } from "../support/programs.ts";
import { testSignal } from "../support/signals.ts";
import { buildWorld, combinations, holdings, inKernel } from "../support/worlds.ts";

const perfect = {
  equal: true,
  failure: undefined,
  violations: [],
  wrongValues: 0,
  otherTraps: 0,
};

describe("the acquisition of a recorded signal", () => {
  it.each(combinations)(
    "%s showing %s: MUST bring every byte and leave nothing behind",
    async (_name, backing, strategy) => {
      const signal = await loadSignal("guitar");
      const world = buildWorld({ strategy, highway: { backing } });
      const before = holdings(world.machine);
      const result = acquire(world, signal);
      expect(result).toMatchObject(perfect);
      expect(result.acquired).toEqual({ bytes: 131_072, sha256: result.signal.sha256 });
      expect(result.signal.sha256).toBe("b213355527dbc8aceb3f07d5a44938e39a880d3c44d3451e57d8c75812776bfd");
      expect(holdings(world.machine)).toEqual(before);
      expect(inKernel(world.machine, () => world.driver.unload())).toBe(0);
      if (strategy.supports.whileRevoked === "wait") {
        expect(result.sigbus).toBe(0);
        expect(result.waits.count).toBeGreaterThan(8);
        // A 16 KiB block at 132 MB/s.
        expect(result.waits.longestNs).toBeGreaterThan(100_000);
        expect(result.waits.totalNs).toBeGreaterThan(result.waits.longestNs);
      } else {
        expect(result.sigbus).toBeGreaterThan(8);
        expect(result.waits).toEqual({ count: 0, longestNs: 0, totalNs: 0 });
      }
      expect(result.polls).toBeGreaterThan(100);
      expect(result.statistics).toMatchObject({ bytes: 131_072, aborted: 0 });
    },
  );

  it("MUST give each channel an interface of its own, and bring them together again", async () => {
    const world = buildWorld();
    const signal = await loadSignal("co2");
    expect(signal.channels).toBe(2);
    expect(acquire(world, signal, { blockBytes: 256 })).toMatchObject(perfect);
    const regions = world.card.bars[1]!.device;
    expect([0, 1, 2].map((index) => regions.read((index + 1) * 0x1000 + 0x18, 4))).toEqual([
      signal.bytes.length / 2,
      signal.bytes.length / 2,
      0,
    ]);
  });

  it("MUST take a signal of more channels than the card has interfaces interleaved, from one", () => {
    const world = buildWorld({ highway: { interfaces: 2 } });
    expect(acquire(world, testSignal(500, 5), { blockBytes: 999 })).toMatchObject(perfect);
  });

  it.each(["x86-64", "i386", "alpha", "arm64-64k"] as const)("MUST work on %s", (geometry) => {
    for (const [, backing, strategy] of combinations) {
      const world = buildWorld({ strategy, highway: { backing }, machine: { geometry, ramPages: 512 } });
      const before = holdings(world.machine);
      expect(acquire(world, testSignal(20_000))).toMatchObject(perfect);
      expect(holdings(world.machine)).toEqual(before);
    }
  });

  it.each([
    { pollers: 0 },
    { pollers: 9, pollNs: 500 },
    { blockBytes: 1 },
    { blockBytes: 2 ** 18 },
    { workNs: 0 },
    { bufferOffset: 0 },
    { bufferOffset: 4095 },
  ])("MUST work with the options %j", (options) => {
    const world = buildWorld();
    const before = holdings(world.machine);
    expect(acquire(world, testSignal(40), options)).toMatchObject(perfect);
    expect(acquire(world, testSignal(0), options)).toMatchObject(perfect);
    expect(holdings(world.machine)).toEqual(before);
  });

  it("MUST acquire the same again on the same world", () => {
    const world = buildWorld();
    const signal = testSignal(30_000);
    const first = acquire(world, signal);
    const second = acquire(world, signal);
    expect(second).toEqual({ ...first, elapsedNs: second.elapsedNs });
    expect(first).toMatchObject(perfect);
  });

  it("MUST be deterministic: the same world gives the same result and the same event log, byte for byte", () => {
    const run = () => {
      const world = buildWorld({ machine: { chooser: runToBlock, eventLog: "on" } });
      const result = acquire(world, testSignal(10_000));
      return { result, log: world.machine.log.bytes() };
    };
    const [one, other] = [run(), run()];
    expect(other.result).toEqual(one.result);
    expect(Buffer.compare(one.log, other.log)).toBe(0);
  });

  it("MUST say what went wrong when the device cannot be had, and leave nothing behind", () => {
    const world = buildWorld();
    const holder = world.machine.spawn("holder", function* (thread) {
      yield* open(thread);
      yield* thread.nanosleep(1e9);
    });
    const result = acquire(world, testSignal(100));
    expect(result).toMatchObject({ failure: "open: -EBUSY", equal: false, acquired: { bytes: 0 } });
    expect(holder.isGone).toBe(true);
    expect(holdings(world.machine)).toMatchObject({ mms: 0, openFiles: 0, uses: 0, failures: [] });
  });

  it("MUST say what went wrong when a call fails in the middle, and let the watchers go", () => {
    let pins = 0;
    const pinning = definePinningPolicy({
      name: "tiring",
      supports: refcount.supports,
      create(kernel) {
        const hooks = refcount.create(kernel);
        const pin: PinningHooks["pin"] = (...request) => (++pins > 3 ? -ENOMEM : hooks.pin(...request));
        return { pin, unpin: (...request) => hooks.unpin(...request) };
      },
    });
    const world = buildWorld({ pinning });
    const before = holdings(world.machine);
    const result = acquire(world, testSignal(20_000), { blockBytes: 4096 });
    expect(result).toMatchObject({ failure: "ioctl: -ENOMEM", equal: false, acquired: { bytes: 3 * 4096 } });
    expect(holdings(world.machine)).toEqual(before);
  });

  it("MUST say that a watcher could not be started, acquire all the same, and come to its end", () => {
    const world = buildWorld({ machine: { allocations: failAt("dup_task_struct", 2) } });
    const before = holdings(world.machine);
    const result = acquire(world, testSignal(20_000), { pollers: 3 });
    expect(result).toMatchObject({ failure: "clone of a watcher: -ENOMEM", equal: true, wrongValues: 0 });
    expect(result.polls).toBeGreaterThan(0);
    expect(holdings(world.machine)).toEqual(before);
  });

  it("MUST refuse a world with another driver, and options that make no sense", () => {
    const world = buildWorld({ strategy: lazyNopage });
    const stranger = { ...world, driver: { path: "/dev/null", unload: world.driver.unload } };
    expect(() => acquire(stranger, testSignal(1))).toThrow(TypeError);
    expect(() => acquire(world, testSignal(1), { pollers: -1 })).toThrow(
      /pollers is -1; expected .* 0 to 1000/,
    );
    expect(createKernel(world.machine).time.now()).toBe(0);
  });
});
