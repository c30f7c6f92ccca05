import {
  EFAULT,
  EINVAL,
  ENODEV,
  ENOSPC,
  type OpenFile,
  type Sleepable,
  type UserAddress,
} from "@nopage/core/contract";
import { CONTROL_REWIND, interfaceOffset, measurement, REGION_BYTES } from "../card/measurement-registers.ts";
import type { HighwayDevice } from "./highway-device.ts";

/**
 * read and write on the measurement region, at the file's position. Both wait while a transfer has the card, as the
 * mapping does (QU-10), or answer -EAGAIN on a file that may not wait. The user's buffer may be the mapping: it is
 * copied while they have the card, when nobody has the gate closed, and never while they have closed it themselves.
 */
export class RegionAccess {
  readonly #device: HighwayDevice;

  constructor(device: HighwayDevice) {
    this.#device = device;
  }

  /** Bytes read, 0 at the end of the region; -EAGAIN or -ERESTARTSYS while the card is busy, -EFAULT, -ENODEV. */
  *read(file: OpenFile, buffer: UserAddress, length: number): Sleepable<number> {
    const { kernel, measurements } = this.#device;
    const start = file.position;
    const bytes = Math.min(length, REGION_BYTES - start);
    if (bytes <= 0) return 0;
    const bounce = new Uint8Array(bytes);
    let copied = 0;
    const result = yield* this.#withCard(file, function* () {
      yield* kernel.mmio.readBlock(measurements, start, bounce);
      copied = bytes - (yield* kernel.user.copyTo(buffer, bounce));
      return copied === 0 ? -EFAULT : 0;
    });
    if (result !== 0) return result;
    file.position = start + copied;
    return copied;
  }

  /** Bytes written; position and length are multiples of 4 (-EINVAL), and end in the region (-ENOSPC). */
  *write(file: OpenFile, buffer: UserAddress, length: number): Sleepable<number> {
    const start = file.position;
    if (start % 4 !== 0 || length % 4 !== 0 || length < 0) return -EINVAL;
    if (length > REGION_BYTES - start) return -ENOSPC;
    const bounce = new Uint8Array(length);
    const result = yield* this.#withCard(file, () => this.#copyAndStore(start, buffer, bounce));
    if (result !== 0) return result;
    file.position = start + length;
    return length;
  }

  /** Sets an interface back to the start of its recording: 0, or as `write`. */
  *rewind(file: OpenFile, index: number, interfaces: number): Sleepable<number> {
    if (!Number.isInteger(index) || index < 0 || index >= interfaces) return -EINVAL;
    return yield* this.#withCard(file, () => this.#change(() => this.#rewindNow(index)));
  }

  *#copyAndStore(start: number, buffer: UserAddress, bounce: Uint8Array): Sleepable<number> {
    if ((yield* this.#device.kernel.user.copyFrom(buffer, bounce)) > 0) return -EFAULT;
    if (this.#device.isGone) return -ENODEV;
    return yield* this.#change(() => this.#store(start, bounce));
  }

  *#store(start: number, bytes: Uint8Array): Sleepable<void> {
    const { kernel, measurements } = this.#device;
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < bytes.length; at += 4) {
      yield* kernel.mmio.write(measurements, start + at, 4, view.getUint32(at, true));
    }
  }

  *#rewindNow(index: number): Sleepable<void> {
    const { kernel, measurements } = this.#device;
    const control = interfaceOffset(index) + measurement.control;
    const value = yield* kernel.mmio.read(measurements, control, 4);
    yield* kernel.mmio.write(measurements, control, 4, value | CONTROL_REWIND);
  }

  /** Changes registers; a mirror of them is brought up to date while nobody can look at it. The card is the caller's. */
  *#change(body: () => Sleepable<void>): Sleepable<number> {
    const { shown, binding } = this.#device;
    if (shown.isMirror) yield* binding.quiesce();
    yield* body();
    if (!shown.isMirror) return 0;
    yield* shown.refresh();
    yield* binding.resume();
    return 0;
  }

  /** Runs a body while the card is this call's: 0, why it could not, or why the body did not. */
  *#withCard(file: OpenFile, body: () => Sleepable<number>): Sleepable<number> {
    const { claim } = this.#device;
    const taken = yield* claim.take(file);
    if (taken !== 0) return taken;
    const result = this.#device.isGone ? -ENODEV : yield* body();
    yield* claim.giveBack();
    return result;
  }
}
