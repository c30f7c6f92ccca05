/**
 * How the samples of one channel relate to the numbers they were made from.
 *
 * The number is `(sample + offset) / stepsPerUnit`. It is a division of two whole numbers wherever the column
 * allows that, and not a multiplication by 0.01, because only the division gives back the very same number.
 */
export interface ChannelScale {
  /** The column's name, or "channel 1", "channel 2", … where the source has none. */
  readonly name: string;
  /** Added to a sample before dividing; in steps, so that a sample of -32768 can stand for any number. */
  readonly offset: number;
  /** How many steps of a sample make 1 in the unit of the source. */
  readonly stepsPerUnit: number;
  /** The largest distance of a restored number from its original, in the unit of the source; 0 when none. */
  readonly maxError: number;
}

/** A column of numbers brought to 16 bits. */
export interface ScaledColumn {
  readonly samples: Int16Array;
  readonly scale: ChannelScale;
}

const lowestSample = -32_768;
const highestSample = 32_767;
/** Powers of ten up to 10^22 are exact in a double, so more decimals than that cannot be tried. */
const mostDecimals = 22;

/** The number that a sample of this channel stands for, in the unit of the source. */
export function restoreValue(scale: ChannelScale, sample: number): number {
  return (sample + scale.offset) / scale.stepsPerUnit;
}

/**
 * Brings a column of finite numbers to 16 bits, by the first of three rules that fits:
 *
 * 1. all are whole multiples of 10^-d and, counted in that step, fit into 16 bits: the count is the sample;
 * 2. the same, but only their spread fits: the smallest becomes -32768;
 * 3. otherwise smallest to largest is cut into 65,535 equal steps, and each number takes the nearest one.
 *
 * Rules 1 and 2 lose nothing. Rule 3 rounds; `maxError` is then measured over the whole column, not estimated.
 * It is not a finite number when the spread itself is none (a column from -1e308 to 1e308): reject such a column.
 */
export function scaleColumn(name: string, values: readonly number[]): ScaledColumn {
  const { offset, stepsPerUnit } = exactSteps(values) ?? evenSteps(values);
  const samples = new Int16Array(values.length);
  let maxError = 0;
  values.forEach((value, index) => {
    const sample = clampToSample(Math.round(value * stepsPerUnit - offset));
    samples[index] = sample;
    maxError = Math.max(maxError, Math.abs((sample + offset) / stepsPerUnit - value));
  });
  return { samples, scale: { name, offset, stepsPerUnit, maxError } };
}

type Steps = Pick<ChannelScale, "offset" | "stepsPerUnit">;

function exactSteps(values: readonly number[]): Steps | undefined {
  for (let decimals = 0; decimals <= mostDecimals; decimals += 1) {
    // Number() reads a power of ten correctly rounded, which the ** operator does not promise.
    const stepsPerUnit = Number(`1e${decimals}`);
    const isWhole = (value: number) => Math.round(value * stepsPerUnit) / stepsPerUnit === value;
    if (!values.every(isWhole)) continue;
    const { lowest, highest } = extremes(values.map((value) => Math.round(value * stepsPerUnit)));
    if (lowest >= lowestSample && highest <= highestSample) return { offset: 0, stepsPerUnit };
    if (!Number.isSafeInteger(lowest) || !Number.isSafeInteger(highest)) return undefined;
    if (highest - lowest > highestSample - lowestSample) return undefined;
    return { offset: lowest - lowestSample, stepsPerUnit };
  }
  return undefined;
}

function evenSteps(values: readonly number[]): Steps {
  const { lowest, highest } = extremes(values);
  // A constant too small for rule 1, such as 1e-30: one step is that constant, and each sample is 1.
  if (lowest === highest) return { offset: 0, stepsPerUnit: 1 / lowest };
  const stepsPerUnit = (highestSample - lowestSample) / (highest - lowest);
  return { offset: lowest * stepsPerUnit - lowestSample, stepsPerUnit };
}

function clampToSample(steps: number): number {
  return Math.min(Math.max(steps, lowestSample), highestSample);
}

function extremes(values: readonly number[]): { readonly lowest: number; readonly highest: number } {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    lowest = Math.min(lowest, value);
    highest = Math.max(highest, value);
  }
  return { lowest, highest };
}
