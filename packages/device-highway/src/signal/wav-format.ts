/** The format chunk of a WAV file, as far as it says how to read the samples. */
export interface WavFormat {
  /** 1 is PCM, 3 is floating point; see `formatNames`. */
  readonly code: number;
  readonly channels: number;
  /** Samples a second on each channel, in hertz. */
  readonly sampleRateHz: number;
  /** Bytes that the samples of one moment take on all channels together. */
  readonly bytesPerMoment: number;
  readonly bitsPerSample: number;
}

/** Length of the shortest format chunk, in bytes. */
const shortestChunk = 16;
/** Format code that says: the real code is in the chunk's extension. */
const extensibleCode = 0xfffe;
/** Where the extension keeps the real code, in bytes from the start of the chunk. */
const extensionCodeAt = 24;

const pcmCode = 1;
const formatNames: ReadonlyMap<number, string> = new Map([
  [pcmCode, "PCM"],
  [2, "Microsoft ADPCM"],
  [3, "floating point"],
  [6, "A-law"],
  [7, "mu-law"],
  [0x11, "IMA ADPCM"],
  [0x55, "MP3"],
]);

/** Decodes a format chunk, also the extensible form; `undefined` when it is too short to be one. */
export function decodeWavFormat(chunk: Uint8Array): WavFormat | undefined {
  if (chunk.length < shortestChunk) return undefined;
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const outerCode = view.getUint16(0, true);
  const isExtensible = outerCode === extensibleCode && chunk.length >= extensionCodeAt + 2;
  return {
    code: isExtensible ? view.getUint16(extensionCodeAt, true) : outerCode,
    channels: view.getUint16(2, true),
    sampleRateHz: view.getUint32(4, true),
    bytesPerMoment: view.getUint16(12, true),
    bitsPerSample: view.getUint16(14, true),
  };
}

/** True for the one kind that the card's converters deliver: integers of 16 bits. */
export function isPcm16(format: WavFormat): boolean {
  return format.code === pcmCode && format.bitsPerSample === 16;
}

/** Says in words what a format is, such as "24-bit PCM". */
export function describeWavFormat(format: WavFormat): string {
  const kind = formatNames.get(format.code) ?? `an encoding with format code ${format.code}`;
  return `${format.bitsPerSample}-bit ${kind}`;
}
