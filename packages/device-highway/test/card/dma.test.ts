import type { BusAddress, Sleepable } from "@nopage/core";
import { owners, randomChooser } from "@nopage/core";
import { describe, expect, it } from "vitest";
import {
  controller,
  DMA_INTERRUPT,
  DMA_START,
  DMA_TO_MEMORY,
  DMA_WINDOW,
  edu,
  INTERRUPT_DMA,
} from "../../src/index.ts";
import { type CardRig, cardRig, pattern } from "../support/cards.ts";

interface Order {
  readonly source: number;
  readonly destination: number;
  readonly count: number;
  readonly command: number;
}

function* order({ kernel, registers }: CardRig, { source, destination, count, command }: Order) {
  const { mmio } = kernel;
  yield* mmio.write64(registers, edu.dmaSource, BigInt(source));
  yield* mmio.write64(registers, edu.dmaDestination, BigInt(destination));
  yield* mmio.write64(registers, edu.dmaCount, BigInt(count));
  yield* mmio.write(registers, edu.dmaCommand, 4, command);
}

/** Edu's own way to wait: reads the command register until the start bit is gone. */
function* waitForEnd({ kernel, registers }: CardRig): Sleepable<void> {
  while (((yield* kernel.mmio.read(registers, edu.dmaCommand, 4)) & DMA_START) !== 0) {
    yield* kernel.time.sleep(500);
  }
}

function page(rig: CardRig) {
  const { memory } = rig.machine;
  const pfn = memory.pages.allocZeroedPage(owners.driver)!;
  const address = (pfn * 4096) as BusAddress;
  return { address, bytes: () => memory.frames.bytes.slice(address, address + 4096) };
}

function fillWindow(rig: CardRig, bytes: Uint8Array): Sleepable<void> {
  const { kernel, measurements, card } = rig;
  card.feed(0, { bytes, sampleRateHz: undefined });
  return (function* () {
    yield* kernel.mmio.write(measurements, controller.select, 4, 0);
    yield* kernel.mmio.write(measurements, controller.latch, 4, bytes.length);
  })();
}

describe("the DMA engine", () => {
  it.each([undefined, randomChooser(3)])("MUST move real bytes to memory, and back", (chooser) => {
    const rig = cardRig({ burstBytes: 100 }, chooser && { chooser });
    const from = page(rig);
    const to = page(rig);
    const command = DMA_START | DMA_TO_MEMORY;
    rig.run(function* () {
      yield* fillWindow(rig, pattern(1000));
      yield* order(rig, { source: DMA_WINDOW, destination: from.address + 24, count: 1000, command });
      yield* waitForEnd(rig);
      // Back into another place of the window, and out again.
      const back = { source: from.address + 24, destination: DMA_WINDOW + 3000, count: 500 };
      yield* order(rig, { ...back, command: DMA_START });
      yield* waitForEnd(rig);
      yield* order(rig, { source: DMA_WINDOW + 3000, destination: to.address, count: 500, command });
      yield* waitForEnd(rig);
    });
    expect(from.bytes().subarray(24, 1024)).toEqual(pattern(1000));
    expect(to.bytes().subarray(0, 500)).toEqual(pattern(1000).subarray(0, 500));
    expect(
      to
        .bytes()
        .subarray(500)
        .every((byte) => byte === 0),
    ).toBe(true);
    expect(rig.interrupts).toEqual([]);
    expect(rig.machine.violations.list).toEqual([]);
  });

  it("MUST take the time of its bursts and log each of them", () => {
    const rig = cardRig({ burstBytes: 256, burstNs: 2000 });
    const { address } = page(rig);
    rig.run(function* () {
      yield* order(rig, { source: DMA_WINDOW, destination: address, count: 1000, command: 7 });
    });
    expect(rig.machine.sched.now).toBe(4 * 2000);
    expect(rig.interrupts).toEqual([INTERRUPT_DMA]);
    const events = [...rig.machine.log.events()].filter(({ name }) => name.startsWith("dma-"));
    expect(events.map(({ name, fields }) => [name, fields.bytes])).toEqual([
      ["dma-start", 1000],
      ["dma-burst", 256],
      ["dma-burst", 256],
      ["dma-burst", 256],
      ["dma-burst", 232],
      ["dma-end", 1000],
    ]);
  });

  it("MUST ignore writes to its registers while it runs", () => {
    const rig = cardRig();
    const [first, second] = [page(rig), page(rig)];
    rig.run(function* () {
      yield* fillWindow(rig, pattern(64));
      yield* order(rig, { source: DMA_WINDOW, destination: first.address, count: 64, command: 7 });
      yield* order(rig, { source: DMA_WINDOW, destination: second.address, count: 8, command: 3 });
      expect(yield* rig.kernel.mmio.read(rig.registers, edu.dmaCommand, 4)).toBe(7);
      yield* waitForEnd(rig);
      expect(yield* rig.kernel.mmio.read(rig.registers, edu.dmaCommand, 4)).toBe(6);
    });
    expect(first.bytes().subarray(0, 64)).toEqual(pattern(64));
    expect(second.bytes().every((byte) => byte === 0)).toBe(true);
  });

  it("a command without the start bit MUST do nothing", () => {
    const rig = cardRig();
    rig.run(() => order(rig, { source: 1, destination: 2, count: 3, command: DMA_TO_MEMORY }));
    expect(rig.machine.sched.now).toBe(0);
    expect(rig.registers.device.read64?.(edu.dmaCommand)).toBe(0n);
  });

  it("an abort MUST stop it after the current burst, with an interrupt and the count of what was moved", () => {
    const rig = cardRig({ burstBytes: 100, burstNs: 1000 });
    const { address, bytes } = page(rig);
    const { kernel, measurements } = rig;
    const moved = rig.run(function* () {
      yield* fillWindow(rig, pattern(1000));
      yield* order(rig, { source: DMA_WINDOW, destination: address, count: 1000, command: 7 });
      yield* kernel.time.sleep(2500);
      yield* kernel.mmio.write(measurements, controller.abort, 4, 1);
      yield* waitForEnd(rig);
      return yield* kernel.mmio.read(measurements, controller.transferred, 4);
    });
    expect(moved).toBe(300);
    expect(bytes().subarray(0, 300)).toEqual(pattern(1000).subarray(0, 300));
    expect(bytes()[300]).toBe(0);
    expect(rig.interrupts).toEqual([INTERRUPT_DMA]);
    expect(rig.card.breaches).toEqual([]);
  });

  it("an abort while nothing runs MUST NOT stop the next transfer", () => {
    const rig = cardRig();
    const { address } = page(rig);
    const { kernel, measurements } = rig;
    const moved = rig.run(function* () {
      yield* kernel.mmio.write(measurements, controller.abort, 4, 1);
      yield* order(rig, { source: DMA_WINDOW, destination: address, count: 4096, command: 3 });
      yield* waitForEnd(rig);
      return yield* kernel.mmio.read(measurements, controller.transferred, 4);
    });
    expect(moved).toBe(4096);
  });

  it.each([
    [DMA_WINDOW - 1, 8],
    [DMA_WINDOW + 4000, 97],
    [0, 4],
  ])("a transfer from 0x%s on, outside of the window, MUST move nothing and be recorded", (source, count) => {
    const rig = cardRig();
    const { address, bytes } = page(rig);
    const command = DMA_START | DMA_TO_MEMORY | DMA_INTERRUPT;
    rig.run(() => order(rig, { source, destination: address, count, command }));
    expect(bytes().every((byte) => byte === 0)).toBe(true);
    expect(rig.card.breaches.map(({ rule }) => rule)).toEqual(["dma-outside-window"]);
    expect(rig.interrupts).toEqual([INTERRUPT_DMA]);
  });

  it("a bus address with more bits than the card has MUST be cut and recorded, as edu does", () => {
    const rig = cardRig({ dmaBits: 28 });
    const { address, bytes } = page(rig);
    rig.run(function* () {
      yield* fillWindow(rig, pattern(16));
      yield* order(rig, { source: DMA_WINDOW, destination: 2 ** 28 + address, count: 16, command: 3 });
    });
    expect(bytes().subarray(0, 16)).toEqual(pattern(16));
    expect(rig.card.breaches.map(({ rule }) => rule)).toEqual(["dma-address-cut"]);
  });

  it("a transfer to where no memory answers MUST end there and be recorded", () => {
    const rig = cardRig({}, { ramPages: 64 });
    const moved = rig.run(function* () {
      yield* order(rig, { source: DMA_WINDOW, destination: 64 * 4096, count: 16, command: 7 });
      yield* waitForEnd(rig);
      return yield* rig.kernel.mmio.read(rig.measurements, controller.transferred, 4);
    });
    expect(moved).toBe(0);
    expect(rig.card.breaches.map(({ rule }) => rule)).toEqual(["dma-to-nowhere"]);
    expect(rig.interrupts).toEqual([INTERRUPT_DMA]);
  });

  it("DMA to memory that nobody holds MUST be reported", () => {
    const rig = cardRig();
    const { address } = page(rig);
    rig.machine.memory.pages.freePages((address / 4096) as never, 0);
    rig.run(() => order(rig, { source: DMA_WINDOW, destination: address, count: 16, command: 3 }));
    expect(rig.machine.violations.list.map(({ kind }) => kind)).toEqual(["use-after-free"]);
  });
});
