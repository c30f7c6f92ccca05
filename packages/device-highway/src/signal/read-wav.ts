import { recogniseFile } from "./file-kind.ts";
import { bytesPerSample, pcm16FromBytes } from "./pcm16.ts";
import { asciiAt, type RiffChunk, riffChunks } from "./riff-chunks.ts";
import type { Signal } from "./signal.ts";
import { SignalError, type SignalProblem } from "./signal-error.ts";
import type { SignalIdentity } from "./signal-identity.ts";
import { decodeWavFormat, describeWavFormat, isPcm16, type WavFormat } from "./wav-format.ts";

/**
 * Reads a WAV file (RIFF, form WAVE) of 16-bit PCM samples, on any number of channels.
 *
 * The samples arrive unchanged, so each channel's scale is 1 with offset 0. Everything that would make the
 * signal another one than the file says is an error: a file cut short, a second data chunk, another encoding.
 *
 * @throws {SignalError} when the bytes are not such a file.
 */
export function readWav(file: Uint8Array, identity: SignalIdentity): Signal {
  const complain = complaintsAbout(identity);
  const kind = recogniseFile(file);
  if (!kind?.isWav) {
    const value = kind?.description ?? `a file of ${file.length} bytes that starts with ${startOf(file)}`;
    throw complain("not-riff", value, 'a WAV file: "RIFF", a length, "WAVE"', convertHint(identity));
  }
  const chunks = riffChunks(file);
  const format = decodeFormat(onlyChunk(chunks, "fmt ", complain), complain);
  if (!isPcm16(format)) {
    throw complain("not-pcm16", describeWavFormat(format), "16-bit PCM", convertHint(identity));
  }
  const { channels, sampleRateHz } = format;
  const content = samplesOf(onlyChunk(chunks, "data", complain), format, complain);
  const scales = Array.from({ length: channels }, (_, index) => {
    return { name: `channel ${index + 1}`, offset: 0, stepsPerUnit: 1, maxError: 0 };
  });
  const { name, source } = identity;
  return { name, source, sampleRateHz, channels, ...pcm16FromBytes(content), scales, ignoredColumns: [] };
}

type Complain = (problem: SignalProblem, value: string, expected: string, nearest?: string) => SignalError;

function complaintsAbout({ subject }: SignalIdentity): Complain {
  return (problem, value, expected, nearest = "a complete copy of the file") =>
    new SignalError({ problem, subject, value, expected, nearest });
}

function convertHint({ subject }: SignalIdentity): string {
  return `the recording converted, for example by: sox "${subject}" -b 16 -e signed-integer converted.wav`;
}

function startOf(file: Uint8Array): string {
  return JSON.stringify(asciiAt(file, 0, 4));
}

function onlyChunk(chunks: readonly RiffChunk[], id: string, complain: Complain): RiffChunk {
  const found = chunks.filter((chunk) => chunk.id === id);
  const [chunk] = found;
  if (chunk === undefined) {
    const others = chunks.map((other) => JSON.stringify(other.id)).join(", ") || "none";
    throw complain("truncated", `no "${id}" chunk (chunks: ${others})`, `one "${id}" chunk`);
  }
  if (found.length > 1) {
    throw complain("malformed-wav", `${found.length} "${id}" chunks`, `one "${id}" chunk`);
  }
  if (chunk.content.length < chunk.promisedBytes) {
    const value = `${chunk.content.length} of the ${chunk.promisedBytes} bytes that the "${id}" chunk promises`;
    throw complain("truncated", value, "all of them");
  }
  return chunk;
}

function decodeFormat(chunk: RiffChunk, complain: Complain): WavFormat {
  const format = decodeWavFormat(chunk.content);
  if (format === undefined) {
    throw complain("malformed-wav", `a format chunk of ${chunk.content.length} bytes`, "at least 16 bytes");
  }
  if (format.sampleRateHz === 0) {
    throw complain("malformed-wav", "a sample rate of 0 Hz", "at least 1 Hz");
  }
  return format;
}

function samplesOf(chunk: RiffChunk, format: WavFormat, complain: Complain): Uint8Array {
  const { channels, bytesPerMoment } = format;
  if (channels === 0 || bytesPerMoment !== channels * bytesPerSample) {
    const value = `${channels} channels in ${bytesPerMoment} bytes a moment`;
    throw complain("malformed-wav", value, "at least one channel and two bytes for each");
  }
  if (chunk.content.length === 0) {
    throw complain("empty", "no sample", "at least one", 'the built-in signal "guitar"');
  }
  if (chunk.content.length % bytesPerMoment !== 0) {
    const value = `${chunk.content.length} bytes of samples`;
    throw complain("malformed-wav", value, `a multiple of ${bytesPerMoment}, the bytes of one moment`);
  }
  return chunk.content;
}
