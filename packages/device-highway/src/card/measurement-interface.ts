import {
  CONTROL_ENABLE,
  CONTROL_REWIND,
  INTERFACE_AT_END,
  INTERFACE_MAGIC,
  INTERFACE_READY,
  measurement,
} from "./measurement-registers.ts";
import { wordAt } from "./word-at.ts";

/** What an interface measures: a recording that it plays back. */
export interface Recording {
  readonly bytes: Uint8Array;
  readonly sampleRateHz: number | undefined;
}

/** One measurement interface: the converter behind it, and the registers that show what it does. */
export class MeasurementInterface {
  readonly #index: number;
  #recording: Recording = { bytes: new Uint8Array(0), sampleRateHz: undefined };
  #position = 0;
  #isEnabled = true;

  constructor(index: number) {
    this.#index = index;
  }

  /** Bytes of the recording that were latched. */
  get position(): number {
    return this.#position;
  }

  /** Connects a signal to the converter, from its start. The bytes are not copied. */
  feed(recording: Recording): void {
    this.#recording = recording;
    this.#position = 0;
  }

  /** Moves on by up to `bytes` bytes and answers with them; fewer at the end, none while switched off. */
  take(bytes: number): Uint8Array {
    const taken = Math.min(bytes, this.#available);
    const start = this.#position;
    this.#position += taken;
    return this.#recording.bytes.subarray(start, start + taken);
  }

  /** The word at an offset in `[0, INTERFACE_BYTES)`, a multiple of 4. */
  read(offset: number): number {
    if (offset >= measurement.samples) {
      return wordAt(this.#recording.bytes, this.#position + offset - measurement.samples);
    }
    const { bytes, sampleRateHz } = this.#recording;
    switch (offset) {
      case measurement.identification:
        return INTERFACE_MAGIC + this.#index;
      case measurement.control:
        return this.#isEnabled ? CONTROL_ENABLE : 0;
      case measurement.status:
        return (
          (this.#available > 0 ? INTERFACE_READY : 0) |
          (this.#position === bytes.length ? INTERFACE_AT_END : 0)
        );
      case measurement.available:
        return this.#available >>> 0;
      case measurement.sampleRate:
        return Math.round(sampleRateHz ?? 0) >>> 0;
      case measurement.position:
        return this.#position >>> 0;
      case measurement.length:
        return bytes.length >>> 0;
      default:
        return 0xffff_ffff;
    }
  }

  /** Only `control` can be written. */
  write(offset: number, value: number): void {
    if (offset !== measurement.control) return;
    this.#isEnabled = (value & CONTROL_ENABLE) !== 0;
    if ((value & CONTROL_REWIND) !== 0) this.#position = 0;
  }

  get #available(): number {
    return this.#isEnabled ? this.#recording.bytes.length - this.#position : 0;
  }
}
