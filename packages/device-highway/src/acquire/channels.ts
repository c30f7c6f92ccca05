import type { Recording } from "../card/measurement-interface.ts";
import type { Signal } from "../signal/signal.ts";

const SAMPLE = 2;

/**
 * What is connected to which measurement interface: each channel of the signal to one of its own; or, when the card has
 * too few, the whole signal to interface 0, interleaved as it is.
 */
export function recordingsOf(signal: Signal, interfaces: number): readonly Recording[] {
  const { bytes, channels, sampleRateHz } = signal;
  if (channels === 1 || channels > interfaces) return [{ bytes, sampleRateHz }];
  return Array.from({ length: channels }, (_, channel) => ({
    bytes: everyNth(bytes, channels, channel),
    sampleRateHz,
  }));
}

/** The reverse: one signal's bytes out of what was acquired from each interface. */
export function interleave(streams: readonly Uint8Array[]): Uint8Array {
  if (streams.length === 1) return streams[0];
  const total = streams.reduce((sum, { length }) => sum + length, 0);
  const whole = new Uint8Array(total);
  for (let to = 0, from = 0; to < total; from += SAMPLE) {
    for (const stream of streams) {
      const sample = stream.subarray(from, from + SAMPLE);
      whole.set(sample, to);
      to += sample.length;
    }
  }
  return whole;
}

function everyNth(bytes: Uint8Array, channels: number, channel: number): Uint8Array {
  const own = new Uint8Array(bytes.length / channels);
  for (let to = 0, from = channel * SAMPLE; to < own.length; to += SAMPLE, from += channels * SAMPLE) {
    own.set(bytes.subarray(from, from + SAMPLE), to);
  }
  return own;
}
