/** One chunk of a RIFF file. */
export interface RiffChunk {
  /** Four characters, such as "fmt " or "data". */
  readonly id: string;
  /** How many bytes of content the chunk's header promises. */
  readonly promisedBytes: number;
  /** The content; shorter than promised when the file ends inside the chunk. */
  readonly content: Uint8Array;
}

/** Bytes of a chunk's header: four characters and a 32-bit length. */
const headerBytes = 8;

/** Where the first chunk starts in a RIFF file: behind "RIFF", the length of the rest, and "WAVE". */
const firstChunkAt = 12;

/** Reads `length` bytes as ASCII, one character a byte; shorter when the bytes end before. */
export function asciiAt(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}

/**
 * The chunks of a RIFF file in order, each also when it occurs twice or is cut off by the end of the file.
 * Bytes behind the end that the file's own header states belong to no chunk.
 *
 * This is written here because the libraries at hand each hide what a user must be told: of a file cut in the
 * middle wavefile 11.0.0 returns the first part and node-wav 0.0.2 fills up with zeros, and wav-file-decoder
 * 1.0.3 drops all but the last of several data chunks.
 */
export function riffChunks(file: Uint8Array): readonly RiffChunk[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const chunks: RiffChunk[] = [];
  if (file.length < firstChunkAt) return chunks;
  const end = Math.min(file.length, headerBytes + view.getUint32(4, true));
  let at = firstChunkAt;
  while (at + headerBytes <= end) {
    const promisedBytes = view.getUint32(at + 4, true);
    const start = at + headerBytes;
    const content = file.subarray(start, Math.min(start + promisedBytes, end));
    chunks.push({ id: asciiAt(file, at, 4), promisedBytes, content });
    // A chunk of odd length is followed by one byte of padding.
    at = start + promisedBytes + (promisedBytes % 2);
  }
  return chunks;
}
