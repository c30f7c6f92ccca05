import type { ChannelScale } from "./channel-scale.ts";

/**
 * A recorded signal: what the measurement interfaces of the Highway card are fed with, and what an
 * acquisition must find again byte for byte.
 *
 * Everything is signed 16 bit, because that is the width of the card's converters. A 16-bit WAV file arrives
 * unchanged. Decimal numbers of a CSV file are brought to 16 bits by the rule of {@link ChannelScale}; the
 * scale of each channel stays here, so that every sample can be turned back into the number it came from, and
 * a column too fine for 16 bits says how far off it is. What was left out is named in `ignoredColumns`.
 *
 * A signal is a value: nobody may write to `samples` or `bytes`, which share their memory.
 */
export interface Signal {
  /** The built-in name, or the file's name without its folder. */
  readonly name: string;
  /** Where it comes from: the path that was read, or for a built-in signal also the data set behind it. */
  readonly source: string;
  /** Samples a second on each channel, in hertz; `undefined` where the file does not say (CSV). */
  readonly sampleRateHz: number | undefined;
  /** Number of channels, at least 1. */
  readonly channels: number;
  /** Interleaved samples: channel 0 of moment 0, channel 1 of moment 0, …, channel 0 of moment 1, … */
  readonly samples: Int16Array;
  /** The same samples as little-endian bytes, two a sample: exactly what the card delivers. */
  readonly bytes: Uint8Array;
  /** How to read the samples of each channel in the source's own unit; one entry a channel, in order. */
  readonly scales: readonly ChannelScale[];
  /** Names of the CSV columns that hold text and so are not part of the signal. */
  readonly ignoredColumns: readonly string[];
}
