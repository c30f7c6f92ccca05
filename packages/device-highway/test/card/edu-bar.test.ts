import { describe, expect, it } from "vitest";
import { edu, INTERRUPT_FACTORIAL, STATUS_COMPUTING, STATUS_INTERRUPT } from "../../src/index.ts";
import { cardRig } from "../support/cards.ts";

describe("BAR0, as QEMU's edu document has it", () => {
  it("MUST identify itself as 0x010000ed, whatever is written there", () => {
    const { run, kernel, registers } = cardRig();
    const seen = run(function* () {
      yield* kernel.mmio.write(registers, edu.identification, 4, 5);
      return yield* kernel.mmio.read(registers, edu.identification, 4);
    });
    expect(seen).toBe(0x010000ed);
  });

  it.each([
    [0x12345678, 0xedcba987],
    [0, 0xffffffff],
    [0xffffffff, 0],
  ])("the liveness register MUST answer %d with its bitwise NOT", (written, expected) => {
    const { run, kernel, registers } = cardRig();
    const seen = run(function* () {
      yield* kernel.mmio.write(registers, edu.liveness, 4, written);
      return yield* kernel.mmio.read(registers, edu.liveness, 4);
    });
    expect(seen).toBe(expected);
  });

  it.each([
    [0, 1],
    [1, 1],
    [5, 120],
    [12, 479001600],
    [13, 1932053504],
    [33, 2147483648],
    [34, 0],
    [0xffffffff, 0],
  ])("the factorial of %d MUST be %d modulo 2^32, and be busy until it is", (number, factorial) => {
    const { run, kernel, registers, interrupts } = cardRig();
    const { mmio, time } = kernel;
    run(function* () {
      yield* mmio.write(registers, edu.factorial, 4, number);
      expect(yield* mmio.read(registers, edu.status, 4)).toBe(STATUS_COMPUTING);
      yield* mmio.write(registers, edu.factorial, 4, 3);
      while (((yield* mmio.read(registers, edu.status, 4)) & STATUS_COMPUTING) !== 0) yield* time.sleep(10);
      expect(yield* mmio.read(registers, edu.factorial, 4)).toBe(factorial);
    });
    expect(interrupts).toEqual([]);
  });

  it.each(["level", "message"] as const)(
    "MUST raise a %s interrupt after a factorial if asked to",
    (mode) => {
      const { run, kernel, registers, interrupts } = cardRig({ interrupts: mode });
      run(function* () {
        yield* kernel.mmio.write(registers, edu.status, 4, STATUS_INTERRUPT | STATUS_COMPUTING);
        expect(yield* kernel.mmio.read(registers, edu.status, 4)).toBe(STATUS_INTERRUPT);
        yield* kernel.mmio.write(registers, edu.factorial, 4, 4);
      });
      expect(interrupts).toEqual([INTERRUPT_FACTORIAL]);
    },
  );

  it("the raise register MUST add to the status, and acknowledging MUST clear what is named", () => {
    const { run, kernel, registers, plugged } = cardRig();
    const { mmio } = kernel;
    const seen = run(function* () {
      yield* plugged.interrupt.free();
      yield* mmio.write(registers, edu.interruptRaise, 4, 0x81);
      yield* mmio.write(registers, edu.interruptRaise, 4, 0x10);
      const all = yield* mmio.read(registers, edu.interruptStatus, 4);
      yield* mmio.write(registers, edu.interruptAcknowledge, 4, 0x80);
      return [all, yield* mmio.read(registers, edu.interruptStatus, 4)];
    });
    expect(seen).toEqual([0x91, 0x11]);
  });

  it("a level MUST stay up until all of it is acknowledged", () => {
    const { run, kernel, registers, plugged } = cardRig();
    const { mmio } = kernel;
    const seen: number[] = [];
    run(function* () {
      yield* plugged.interrupt.free();
      plugged.interrupt.request("one at a time", function* () {
        const status = yield* mmio.read(registers, edu.interruptStatus, 4);
        seen.push(status);
        yield* mmio.write(registers, edu.interruptAcknowledge, 4, status & -status);
        return "handled";
      });
      yield* mmio.write(registers, edu.interruptRaise, 4, 0b1011);
    });
    expect(seen).toEqual([0b1011, 0b1010, 0b1000]);
  });

  it("registers below 0x80 MUST take 4 bytes only: other sizes read all ones and write nothing", () => {
    const { run, kernel, registers } = cardRig();
    const { mmio } = kernel;
    run(function* () {
      expect(yield* mmio.read(registers, edu.identification, 2)).toBe(0xffff);
      expect(yield* mmio.read(registers, edu.identification, 1)).toBe(0xff);
      yield* mmio.write(registers, edu.liveness, 4, 1);
      yield* mmio.write(registers, edu.liveness, 1, 2);
      yield* mmio.write64(registers, edu.liveness, 3n);
      expect(yield* mmio.read(registers, edu.liveness, 4)).toBe(0xfffffffe);
    });
    expect(registers.device.read64?.(edu.identification)).toBe(0xffffffffffffffffn);
  });

  it("registers from 0x80 on MUST take 8 bytes too, and a store of 4 MUST clear the upper half", () => {
    const { run, kernel, registers } = cardRig();
    const { mmio } = kernel;
    run(function* () {
      yield* mmio.write64(registers, edu.dmaSource, 0x12_3456_789an);
      expect(registers.device.read64?.(edu.dmaSource)).toBe(0x12_3456_789an);
      expect(yield* mmio.read(registers, edu.dmaSource, 4)).toBe(0x3456789a);
      yield* mmio.write(registers, edu.dmaSource, 4, 7);
      expect(registers.device.read64?.(edu.dmaSource)).toBe(7n);
      yield* mmio.write(registers, edu.dmaSource + 4, 4, 9);
      expect(registers.device.read64?.(edu.dmaSource)).toBe(7n);
    });
  });

  it.each([0x0c, edu.interruptRaise, edu.interruptAcknowledge, 0x40000, 0xffffc])(
    "offset 0x%s, where nothing can be read, MUST give all ones",
    (offset) => {
      const { run, kernel, registers } = cardRig();
      expect(run(() => kernel.mmio.read(registers, offset, 4))).toBe(0xffffffff);
    },
  );
});
