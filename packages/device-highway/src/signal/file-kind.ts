import { asciiAt } from "./riff-chunks.ts";

/** What the first bytes of a file show it to be. */
export interface FileKind {
  /** True when the WAV reader can read it. */
  readonly isWav: boolean;
  /** The kind in words, with its article, such as "a FLAC file". */
  readonly description: string;
}

/**
 * First bytes by which other recordings are known, so that a refusal can say what the file is. Each is long
 * enough that the heading of a CSV column does not start so.
 */
const otherKinds: readonly (readonly [start: RegExp, description: string])[] = [
  [/^RIFX....WAVE/s, "a RIFX file (WAV with big-endian numbers)"],
  [/^RF64....WAVE/s, "an RF64 file (WAV beyond 4 GiB)"],
  [/^FORM....AIF/s, "an AIFF file"],
  [/^fLaC\0/, "a FLAC file"],
  [/^OggS\0/, "an Ogg file"],
  [/^ID3[^ -~]/, "an MP3 file"],
  [/^caff\0/, "a CAF file"],
];

/** Looks at the first twelve bytes; `undefined` when they are none of the known beginnings. */
export function recogniseFile(bytes: Uint8Array): FileKind | undefined {
  if (asciiAt(bytes, 0, 4) === "RIFF") {
    const form = asciiAt(bytes, 8, 4);
    const isWav = form === "WAVE";
    return { isWav, description: isWav ? "a WAV file" : `a RIFF file of form ${JSON.stringify(form)}` };
  }
  const beginning = asciiAt(bytes, 0, 12);
  const other = otherKinds.find(([start]) => start.test(beginning));
  return other && { isWav: false, description: other[1] };
}
