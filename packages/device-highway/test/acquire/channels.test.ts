import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { interleave, recordingsOf } from "../../src/acquire/channels.ts";
import { testSignal } from "../support/signals.ts";

describe("channels and interfaces", () => {
  test.prop([fc.nat(200), fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 8 })])(
    "what is split MUST come together again",
    (moments, channels, interfaces) => {
      const signal = testSignal(moments, channels);
      const recordings = recordingsOf(signal, interfaces);
      expect(recordings).toHaveLength(channels <= interfaces ? channels : 1);
      expect(interleave(recordings.map(({ bytes }) => bytes))).toEqual(signal.bytes);
    },
  );

  test("a channel MUST hold its own samples, in order", () => {
    const signal = testSignal(3, 2);
    const [left, right] = recordingsOf(signal, 2);
    expect([...left!.bytes]).toEqual([0, 1, 4, 5, 8, 9].map((at) => signal.bytes[at]));
    expect([...right!.bytes]).toEqual([2, 3, 6, 7, 10, 11].map((at) => signal.bytes[at]));
  });
});
