/** What a WAV file for a test is made of; everything but the samples has a usual value. */
export interface WavParts {
  readonly samples: readonly number[];
  readonly channels?: number;
  readonly sampleRateHz?: number;
  readonly bitsPerSample?: number;
  readonly formatCode?: number;
  /** Chunks that stand before the data chunk. */
  readonly before?: readonly Uint8Array[];
  /** Chunks that stand behind the data chunk. */
  readonly behind?: readonly Uint8Array[];
}

/** A RIFF chunk: id, length, content, and a byte of padding when the content is odd. */
export function chunk(id: string, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(8 + content.length + (content.length % 2));
  bytes.set(ascii(id));
  new DataView(bytes.buffer).setUint32(4, content.length, true);
  bytes.set(content, 8);
  return bytes;
}

/** A format chunk in the short form, or in the extensible one when `extensibleTo` names the real code. */
export function formatChunk(parts: Omit<WavParts, "samples">, extensibleTo?: number): Uint8Array {
  const { channels = 1, sampleRateHz = 8000, bitsPerSample = 16, formatCode = 1 } = parts;
  const bytesPerMoment = channels * Math.ceil(bitsPerSample / 8);
  const view = new DataView(new ArrayBuffer(extensibleTo === undefined ? 16 : 40));
  view.setUint16(0, extensibleTo === undefined ? formatCode : 0xfffe, true);
  view.setUint16(2, channels, true);
  view.setUint32(4, sampleRateHz, true);
  view.setUint32(8, sampleRateHz * bytesPerMoment, true);
  view.setUint16(12, bytesPerMoment, true);
  view.setUint16(14, bitsPerSample, true);
  if (extensibleTo !== undefined) view.setUint16(24, extensibleTo, true);
  return chunk("fmt ", new Uint8Array(view.buffer));
}

/** A data chunk of 16-bit samples. */
export function dataChunk(samples: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(samples.length * 2));
  samples.forEach((sample, index) => {
    view.setInt16(index * 2, sample, true);
  });
  return chunk("data", new Uint8Array(view.buffer));
}

/** A RIFF file of form WAVE around these chunks. */
export function riff(chunks: readonly Uint8Array[]): Uint8Array {
  const content = [ascii("WAVE"), ...chunks];
  return chunk("RIFF", Uint8Array.from(content.flatMap((part) => [...part])));
}

/** A whole WAV file. */
export function encodeWav(parts: WavParts): Uint8Array {
  const { before = [], behind = [] } = parts;
  return riff([formatChunk(parts), ...before, dataChunk(parts.samples), ...behind]);
}

/** The bytes of an ASCII text. */
export function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
