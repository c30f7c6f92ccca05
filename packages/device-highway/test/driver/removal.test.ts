import { Machine, randomChooser, type Sleepable } from "@nopage/core";
import { describe, expect, it } from "vitest";
import { seedsBelow } from "../../../../tools/exploration.ts";
import { HIGHWAY_ACQUIRE, HIGHWAY_STATISTICS, HIGHWAY_WAIT, REGION_BYTES } from "../../src/index.ts";
import { pattern } from "../support/cards.ts";
import { errno, mapMemory, mapRegion, open, request, runProgram } from "../support/programs.ts";
import { buildWorld, combinations, holdings, inKernel, type TestWorldOptions } from "../support/worlds.ts";

const BYTES = 32_768;
const ramPages = 128;
const order = (memory: number) => ({ buffer: memory + 4200, bytes: BYTES, interface: 0 });

function world(options: TestWorldOptions = {}) {
  const built = buildWorld(options);
  built.card.feed(0, { bytes: pattern(BYTES), sampleRateHz: undefined });
  return built;
}

type World = ReturnType<typeof world>;

/** Somebody pulls the card: the bus notices, and tells the driver. */
function pull({ machine, driver }: World): Sleepable<number> {
  return machine.pci.unplug(driver.slot);
}

/** Not only what the program took is back: also what the driver had shown, once the last area was gone. */
function withoutShown(before: ReturnType<typeof holdings>): ReturnType<typeof holdings> {
  return { ...before, freeFrames: new Machine({ ramPages }).memory.freeFrames, tables: 1 };
}

describe("a card that is pulled out of its slot", () => {
  it.each(combinations)(
    "%s showing %s: MUST wake who waits to SIGBUS and end the transfer with ENODEV (MO-04)",
    (_name, backing, strategy) => {
      const built = world({ strategy, highway: { backing }, machine: { ramPages } });
      const { machine, card } = built;
      const before = holdings(machine);
      const seen: unknown[] = [];
      runProgram(built, function* (thread) {
        const file = yield* open(thread);
        const region = yield* mapRegion(thread, file);
        const memory = yield* mapMemory(thread, 65_536);
        thread.spawn(function* (own) {
          seen.push(errno(yield* request(own, file, memory, order(memory), HIGHWAY_ACQUIRE)));
        });
        yield* thread.nanosleep(5000);
        thread.spawn(function* (own) {
          seen.push(yield* own.load(region));
        });
        yield* thread.nanosleep(5000);
        expect(card.isDmaRunning).toBe(true);
        expect(yield* pull(built)).toBe(0);
        expect(card.isDmaRunning).toBe(false);
        yield* thread.nanosleep(1000);
        expect(seen).toEqual([expect.objectContaining({ signal: "SIGBUS", code: "BUS_ADRERR" }), "-ENODEV"]);
        for (let times = 0; times < 2; times++) {
          expect(yield* thread.load(region)).toMatchObject({ signal: "SIGBUS" });
          expect(yield* thread.store(region, 1)).toMatchObject({ signal: "SIGBUS" });
        }
        expect(errno(yield* thread.read(file, memory, 4))).toBe("-ENODEV");
        expect(errno(yield* thread.write(file, memory, 4))).toBe("-ENODEV");
        expect(errno(yield* thread.ioctl(file, HIGHWAY_WAIT))).toBe("-ENODEV");
        expect(errno(yield* thread.ioctl(file, HIGHWAY_STATISTICS, memory))).toBe("-ENODEV");
        expect(errno(yield* request(thread, file, memory, order(memory)))).toBe("-ENODEV");
        expect(errno(yield* mapRegion(thread, file))).toBe("-ENODEV");
        // The mapping outlives the file's descriptor, and keeps the module.
        yield* thread.close(file);
        expect(errno(yield* open(thread))).toBe("-ENODEV");
        expect(errno(yield* built.driver.unload())).toBe("-EAGAIN");
        yield* thread.munmap(region, REGION_BYTES);
        expect(errno(yield* open(thread))).toBe("-ENODEV");
      });
      expect(holdings(machine)).toEqual(withoutShown(before));
      expect(machine.pci.functions()).toEqual([]);
      expect(machine.memory.io.list()).toEqual([]);
      expect(inKernel(machine, () => built.driver.unload())).toBe(0);
    },
  );

  it("registers MUST read all ones from the moment on, and stores go nowhere", () => {
    const built = world();
    const { machine, kernel, driver } = built;
    const [registers, measurements] = driver.slot.windows;
    inKernel(machine, function* () {
      expect(yield* kernel.mmio.read(measurements!, 0, 4)).not.toBe(0xffff_ffff);
      expect(yield* pull(built)).toBe(0);
      expect(yield* kernel.mmio.read(registers!, 0, 4)).toBe(0xffff_ffff);
      expect(yield* kernel.mmio.read(measurements!, 0, 2)).toBe(0xffff);
      yield* kernel.mmio.write(registers!, 4, 4, 7);
      expect(errno(yield* pull(built))).toBe("-EBUSY");
    });
    expect(inKernel(machine, () => driver.unload())).toBe(0);
  });

  it("what was shown MUST stay until the last area is gone, and no longer", () => {
    const built = world({ strategy: combinations.find(([, kind]) => kind === "vmalloc")![2] });
    const { machine, driver } = built;
    const before = machine.memory.freeFrames;
    let free = 0;
    runProgram(built, function* (thread) {
      const file = yield* open(thread);
      const region = yield* mapRegion(thread, file);
      yield* thread.close(file);
      free = machine.memory.freeFrames;
      expect(yield* pull(built)).toBe(0);
      expect(machine.memory.freeFrames).toBe(free);
      yield* thread.munmap(region, REGION_BYTES);
      expect(machine.memory.freeFrames).toBeGreaterThan(free);
    });
    expect(machine.memory.freeFrames).toBeGreaterThan(before);
    expect(inKernel(machine, () => driver.unload())).toBe(0);
  });

  it.each(combinations)(
    "%s showing %s: at any moment of any schedule MUST leave nothing behind (MO-04, QU-08)",
    (_name, backing, strategy) => {
      for (const seed of seedsBelow(30)) {
        const built = world({
          strategy,
          highway: { backing, burstBytes: 2048 },
          machine: { chooser: randomChooser(seed), eventLog: "off", ramPages },
        });
        const { machine, card, driver } = built;
        const before = holdings(machine);
        const errors = new Set<number | string>();
        const traps = new Set<string>();
        machine.spawn("user", function* (thread) {
          const file = yield* open(thread);
          if (file < 0) return;
          const region = yield* mapRegion(thread, file);
          const memory = yield* mapMemory(thread, 65_536);
          if (region > 0) {
            thread.spawn(function* (watcher) {
              for (;;) {
                const seen = yield* watcher.load(region);
                if (typeof seen !== "number") traps.add(seen.signal);
                // SIGBUS may pass while a strategy that cannot wait is revoked; after the removal it stays.
                if (typeof seen !== "number" && driver.binding.backing.gate.state === "gone") break;
                yield* watcher.nanosleep(300);
              }
            });
            yield* thread.fork(function* (child) {
              yield* child.nanosleep(40_000);
              yield* child.load(region);
            });
          }
          for (;;) {
            const got = yield* request(
              thread,
              file,
              memory,
              { ...order(memory), bytes: 6000 },
              HIGHWAY_ACQUIRE,
            );
            if (got < 0) errors.add(errno(got));
            if (got < 0) break;
          }
        });
        machine.spawn("hand", function* (thread) {
          yield* thread.nanosleep(seed * 700);
          expect(yield* pull(built)).toBe(0);
        });
        const run = built.run();
        expect({ seed, status: run.status, waiting: run.waiting }).toEqual({
          seed,
          status: "finished",
          waiting: [],
        });
        expect({ seed, ...holdings(machine) }).toEqual({ seed, ...withoutShown(before) });
        expect([...errors].filter((error) => error !== "-ENODEV")).toEqual([]);
        expect([...traps].filter((trap) => trap !== "SIGBUS")).toEqual([]);
        expect(card.breaches).toEqual([]);
        expect(inKernel(machine, () => driver.unload())).toBe(0);
      }
    },
  );

  it("MUST be stopped in order when it is still in its slot: pages are given back only after the card stands still", () => {
    const built = world();
    const before = holdings(built.machine);
    runProgram(built, function* (thread) {
      const file = yield* open(thread);
      const memory = yield* mapMemory(thread, 65_536);
      yield* request(thread, file, memory, order(memory));
      yield* thread.nanosleep(10_000);
      yield* built.driver.remove();
      expect(built.card.isDmaRunning).toBe(false);
      expect(errno(yield* thread.ioctl(file, HIGHWAY_WAIT))).toBe("-ENODEV");
    });
    expect(holdings(built.machine)).toEqual(before);
    expect(inKernel(built.machine, () => built.driver.unload())).toBe(0);
  });

  it("an unload at the same time MUST wait for the bus, and find the card gone", () => {
    for (const seed of seedsBelow(60)) {
      const built = world({ machine: { chooser: randomChooser(seed) } });
      const { machine, driver } = built;
      const answers: (number | string)[] = [];
      machine.spawn("hand", function* () {
        answers.push(errno(yield* pull(built)));
      });
      machine.spawn("rmmod", function* () {
        answers.push(errno(yield* driver.unload()));
      });
      expect({ seed, status: built.run().status }).toEqual({ seed, status: "finished" });
      expect(answers).toContain(0);
      expect(answers.every((answer) => answer === 0 || answer === "-EBUSY")).toBe(true);
      expect(machine.pci.functions()).toEqual([]);
      expect(holdings(machine)).toMatchObject({ failures: [], violations: [], uses: 0 });
    }
  });
});
