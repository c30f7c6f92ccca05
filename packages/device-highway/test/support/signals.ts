import type { Signal } from "../../src/index.ts";
import { pattern } from "./cards.ts";

/** A made-up signal of whole samples that differ from their neighbours. */
export function testSignal(moments: number, channels = 1): Signal {
  const bytes = pattern(moments * channels * 2);
  return {
    name: "test",
    source: "test",
    sampleRateHz: 8000,
    channels,
    samples: new Int16Array(bytes.buffer),
    bytes,
    scales: [],
    ignoredColumns: [],
  };
}
