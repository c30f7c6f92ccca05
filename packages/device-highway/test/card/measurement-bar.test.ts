import { describe, expect, it } from "vitest";
import {
  CONTROL_ENABLE,
  CONTROL_REWIND,
  controller,
  DMA_WINDOW,
  edu,
  INTERFACE_AT_END,
  INTERFACE_MAGIC,
  INTERFACE_READY,
  interfaceOffset,
  measurement,
  REGION_MAGIC,
  region,
} from "../../src/index.ts";
import { type CardRig, cardRig, pattern } from "../support/cards.ts";

function* latch({ kernel, measurements }: CardRig, index: number, bytes: number) {
  yield* kernel.mmio.write(measurements, controller.select, 4, index);
  yield* kernel.mmio.write(measurements, controller.latch, 4, bytes);
  return yield* kernel.mmio.read(measurements, controller.latched, 4);
}

const reader =
  ({ kernel, measurements }: CardRig, index: number) =>
  (register: number) =>
    kernel.mmio.read(measurements, interfaceOffset(index) + register, 4);

describe("BAR1, the measurement region", () => {
  it("MUST begin with its magic, the number of interfaces and the count of latches", () => {
    const rig = cardRig({ interfaces: 3 });
    const { kernel, measurements, card } = rig;
    card.feed(1, { bytes: pattern(100), sampleRateHz: 8000 });
    rig.run(function* () {
      expect(yield* kernel.mmio.read(measurements, region.magic, 4)).toBe(REGION_MAGIC);
      expect(yield* kernel.mmio.read(measurements, region.interfaces, 4)).toBe(3);
      expect(yield* kernel.mmio.read(measurements, region.sequence, 4)).toBe(0);
      yield* latch(rig, 1, 10);
      yield* latch(rig, 1, 10);
      expect(yield* kernel.mmio.read(measurements, region.sequence, 4)).toBe(2);
    });
  });

  it("an interface MUST show its recording, how far it is, and the samples from there on", () => {
    const rig = cardRig();
    rig.card.feed(2, { bytes: pattern(9), sampleRateHz: 44_100.4 });
    const read = reader(rig, 2);
    rig.run(function* () {
      expect(yield* read(measurement.identification)).toBe(INTERFACE_MAGIC + 2);
      expect(yield* read(measurement.control)).toBe(CONTROL_ENABLE);
      expect(yield* read(measurement.sampleRate)).toBe(44_100);
      expect(yield* read(measurement.length)).toBe(9);
      expect(yield* read(measurement.available)).toBe(9);
      expect(yield* read(measurement.status)).toBe(INTERFACE_READY);
      expect(yield* latch(rig, 2, 6)).toBe(6);
      expect(yield* read(measurement.position)).toBe(6);
      expect(yield* read(measurement.available)).toBe(3);
      const [a, b, c] = pattern(9).subarray(6);
      expect(yield* read(measurement.samples)).toBe((a! | (b! << 8) | (c! << 16)) >>> 0);
      expect(yield* read(measurement.samples + 4)).toBe(0);
      expect(yield* latch(rig, 2, 6)).toBe(3);
      expect(yield* read(measurement.status)).toBe(INTERFACE_AT_END);
      expect(yield* latch(rig, 2, 6)).toBe(0);
    });
  });

  it("a latch MUST move no more than the DMA window holds, and nothing of an interface that is not there", () => {
    const rig = cardRig({ interfaces: 1 });
    rig.card.feed(0, { bytes: pattern(10_000), sampleRateHz: undefined });
    rig.run(function* () {
      expect(yield* latch(rig, 0, 9000)).toBe(4096);
      expect(yield* latch(rig, 1, 10)).toBe(0);
      expect(yield* latch(rig, 0xffff_ffff, 10)).toBe(0);
    });
    expect(() => rig.card.feed(1, { bytes: pattern(1), sampleRateHz: 1 })).toThrow(/no interface 1/);
  });

  it("an interface that is switched off MUST deliver nothing, and one that is rewound everything again", () => {
    const rig = cardRig();
    const { kernel, measurements, card } = rig;
    card.feed(0, { bytes: pattern(10), sampleRateHz: undefined });
    const control = interfaceOffset(0) + measurement.control;
    rig.run(function* () {
      expect(yield* latch(rig, 0, 4)).toBe(4);
      yield* kernel.mmio.write(measurements, control, 4, 0);
      expect(yield* latch(rig, 0, 4)).toBe(0);
      expect(yield* kernel.mmio.read(measurements, control, 4)).toBe(0);
      yield* kernel.mmio.write(measurements, control, 4, CONTROL_ENABLE | CONTROL_REWIND);
      expect(yield* kernel.mmio.read(measurements, control, 4)).toBe(CONTROL_ENABLE);
      expect(yield* latch(rig, 0, 40)).toBe(10);
    });
  });

  it("MUST be readable in any width and writable in 4 bytes only", () => {
    const rig = cardRig();
    const { kernel, measurements } = rig;
    const control = interfaceOffset(0) + measurement.control;
    rig.run(function* () {
      expect(yield* kernel.mmio.read(measurements, 0, 1)).toBe(REGION_MAGIC & 0xff);
      expect(yield* kernel.mmio.read(measurements, 3, 1)).toBe(REGION_MAGIC >>> 24);
      expect(yield* kernel.mmio.read(measurements, 2, 2)).toBe(REGION_MAGIC >>> 16);
      yield* kernel.mmio.write(measurements, control, 1, 0);
      expect(yield* kernel.mmio.read(measurements, control, 4)).toBe(CONTROL_ENABLE);
      yield* kernel.mmio.write(measurements, region.magic, 4, 0);
      expect(yield* kernel.mmio.read(measurements, region.magic, 4)).toBe(REGION_MAGIC);
      expect(yield* kernel.mmio.read(measurements, interfaceOffset(9), 4)).toBe(0xffff_ffff);
    });
  });
});

describe("while DMA runs", () => {
  function* startDma({ kernel, registers, machine }: CardRig) {
    const page = machine.memory.pages.allocZeroedPage(2 as never)!;
    yield* kernel.mmio.write64(registers, edu.dmaSource, BigInt(DMA_WINDOW));
    yield* kernel.mmio.write64(registers, edu.dmaDestination, BigInt(page * 4096));
    yield* kernel.mmio.write64(registers, edu.dmaCount, 512n);
    yield* kernel.mmio.write(registers, edu.dmaCommand, 4, 7);
  }

  it("a touch of the region MUST be recorded as a violation with register, time and who, and read all ones", () => {
    const rig = cardRig({ burstNs: 1000 });
    const { kernel, measurements, card, machine } = rig;
    rig.run(function* () {
      yield* startDma(rig);
      yield* kernel.time.sleep(700);
      expect(yield* kernel.mmio.read(measurements, interfaceOffset(1) + measurement.position, 4)).toBe(
        0xffff_ffff,
      );
      yield* kernel.mmio.write(measurements, interfaceOffset(0) + measurement.control, 4, 0);
      yield* kernel.time.sleep(5000);
      expect(yield* kernel.mmio.read(measurements, interfaceOffset(0) + measurement.control, 4)).toBe(1);
    });
    expect(card.breaches).toEqual([
      { rule: "touched-during-dma", register: "reads position of interface 1", who: "insmod", time: 700 },
      { rule: "touched-during-dma", register: "writes control of interface 0", who: "insmod", time: 700 },
    ]);
    const transfer = { task: "highway DMA", what: expect.stringMatching(/^starts a transfer of \d+ bytes/) };
    expect(machine.violations.list).toMatchObject([
      { kind: "device-rule", object: "highway", task: "insmod", time: 700, earlier: transfer },
      { kind: "device-rule", object: "highway", task: "insmod", time: 700, earlier: transfer },
    ]);
  });

  it("a latch MUST be recorded as a violation, and MUST NOT disturb the window", () => {
    const rig = cardRig();
    rig.card.feed(0, { bytes: pattern(10), sampleRateHz: undefined });
    rig.run(function* () {
      yield* startDma(rig);
      expect(yield* latch(rig, 0, 4)).toBe(0);
    });
    expect(rig.card.breaches.map(({ register }) => register)).toEqual(["writes latch"]);
  });

  it("the registers of BAR0 and the abort register MAY be touched", () => {
    const rig = cardRig();
    const { kernel, registers, measurements, card } = rig;
    rig.run(function* () {
      yield* startDma(rig);
      yield* kernel.mmio.read(registers, edu.dmaCommand, 4);
      yield* kernel.mmio.read(registers, edu.interruptStatus, 4);
      yield* kernel.mmio.write(measurements, controller.abort, 4, 1);
    });
    expect(card.breaches).toEqual([]);
  });
});
