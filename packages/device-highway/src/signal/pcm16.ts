/** Bytes that one 16-bit sample takes. */
export const bytesPerSample = 2;

const hostIsLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Samples and their little-endian bytes; on a little-endian host both are views of one buffer. */
export interface Pcm16 {
  readonly samples: Int16Array;
  readonly bytes: Uint8Array;
}

/** Reads little-endian bytes as samples. The bytes are copied, so they may lie at an odd address. */
export function pcm16FromBytes(littleEndian: Uint8Array): Pcm16 {
  // Not slice(): on a Buffer that is a view into a larger pool.
  const bytes = new Uint8Array(littleEndian);
  return { bytes, samples: new Int16Array(hostIsLittleEndian ? bytes.buffer : swapped(bytes).buffer) };
}

/** Writes samples as little-endian bytes. */
export function pcm16FromSamples(samples: Int16Array): Pcm16 {
  const own = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
  return { samples, bytes: hostIsLittleEndian ? own : swapped(own) };
}

function swapped(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(bytes.length);
  for (let at = 0; at + 1 < bytes.length; at += bytesPerSample) {
    result[at] = bytes[at + 1] ?? 0;
    result[at + 1] = bytes[at] ?? 0;
  }
  return result;
}
