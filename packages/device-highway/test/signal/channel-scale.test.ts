import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { restoreValue, scaleColumn } from "../../src/signal/channel-scale.ts";

const restoreAll = (values: readonly number[]) => {
  const { samples, scale } = scaleColumn("volt", values);
  return [...samples].map((sample) => restoreValue(scale, sample));
};

// Numbers so small that 65,535 steps of them are beyond floating point have a test of their own below.
const number = fc
  .double({ min: -1e12, max: 1e12, noNaN: true })
  .map((value) => (Math.abs(value) < 1e-200 ? 0 : value));

describe("scaleColumn", () => {
  it("leaves whole numbers of 16 bits as they are", () => {
    const { samples, scale } = scaleColumn("count", [-32_768, 0, 32_767]);
    expect([...samples]).toEqual([-32_768, 0, 32_767]);
    expect(scale).toEqual({ name: "count", offset: 0, stepsPerUnit: 1, maxError: 0 });
  });

  it("gives back the very number of each decimal whose column spans at most 65,535 of its steps", () => {
    const column = fc
      .record({
        decimals: fc.integer({ min: 0, max: 6 }),
        lowest: fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }),
        steps: fc.array(fc.integer({ min: 0, max: 65_535 }), { minLength: 1, maxLength: 30 }),
      })
      .map(({ decimals, lowest, steps }) => steps.map((step) => decimalText(lowest + step, decimals)));
    fc.assert(
      fc.property(column, (texts) => {
        const values = texts.map(Number);
        expect(restoreAll(values).map((value) => value + 0)).toEqual(values.map((value) => value + 0));
        expect(scaleColumn("volt", values).scale.maxError).toBe(0);
      }),
    );
  });

  it("says how far off it is, and that is at most about half a step, for any other column", () => {
    fc.assert(
      fc.property(fc.array(number, { minLength: 2, maxLength: 40 }), (values) => {
        const { scale } = scaleColumn("volt", values);
        const errors = restoreAll(values).map((restored, index) => Math.abs(restored - values[index]!));
        expect(Math.max(...errors)).toBe(scale.maxError);
        const spread = Math.max(...values) - Math.min(...values);
        const rounding = 1e-9 * Math.max(...values.map(Math.abs));
        expect(scale.maxError).toBeLessThanOrEqual(spread / 65_535 / 2 + rounding);
      }),
    );
  });

  it("keeps the order of the numbers: a larger one never has a smaller sample", () => {
    fc.assert(
      fc.property(fc.array(number, { minLength: 2 }), (values) => {
        const sorted = [...values].sort((left, right) => left - right);
        const { samples } = scaleColumn("volt", sorted);
        expect([...samples]).toEqual([...samples].sort((left, right) => left - right));
      }),
    );
  });

  it("uses the whole of 16 bits when it must round", () => {
    const { samples } = scaleColumn("volt", [0, 1 / 3, 100_000]);
    expect(samples[0]).toBe(-32_768);
    expect(samples[2]).toBe(32_767);
  });

  it.each([[[1 / 3, 1 / 3]], [[1e-30]], [[-1e-30, -1e-30]], [[0]], [[1e300]]])(
    "holds the constant %j",
    (values) => {
      const { scale } = scaleColumn("volt", values);
      expect(scale.maxError).toBeLessThanOrEqual(Math.abs(values[0]!) * 1e-15);
    },
  );

  it("reports a spread beyond floating point by an error that is no finite number", () => {
    expect(Number.isFinite(scaleColumn("volt", [-1e308, 1e308]).scale.maxError)).toBe(false);
    expect(Number.isFinite(scaleColumn("volt", [0, 5e-324]).scale.maxError)).toBe(false);
  });
});

/** Writes `steps` divided by 10^decimals without going through a floating point number. */
function decimalText(steps: number, decimals: number): string {
  const digits = String(Math.abs(steps)).padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  return `${steps < 0 ? "-" : ""}${whole}.${digits.slice(digits.length - decimals)}0`;
}
