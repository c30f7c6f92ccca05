/**
 * The ioctl commands of /dev/highway0, encoded as `_IO`, `_IOW` and `_IOR` do (include/uapi/asm-generic/ioctl.h), with
 * the structures that user space passes. All numbers are little-endian.
 */

const TYPE = 0x48; // "H"
const WRITE = 1;
const READ = 2;

function command(direction: number, number: number, bytes: number): number {
  return direction * 2 ** 30 + bytes * 2 ** 16 + TYPE * 2 ** 8 + number;
}

/** Bytes of `struct highway_request`: u64 buffer, u32 bytes, u32 interface. */
export const REQUEST_BYTES = 16;
/** Bytes of `struct highway_statistics`: u64 transfers, bytes, chunks, interrupts, aborted. */
export const STATISTICS_BYTES = 40;

/** Starts a transfer; the argument is the address of a request. Answers 0. */
export const HIGHWAY_START = command(WRITE, 1, REQUEST_BYTES);
/** Waits for the transfer that was started last. Answers the bytes that it moved. */
export const HIGHWAY_WAIT = command(0, 2, 0);
/** `HIGHWAY_START` and `HIGHWAY_WAIT` in one. On a file opened with O_NONBLOCK it only starts, and answers 0. */
export const HIGHWAY_ACQUIRE = command(WRITE, 3, REQUEST_BYTES);
/** Copies the statistics to the address that is the argument. Answers 0, also while DMA runs. */
export const HIGHWAY_STATISTICS = command(READ, 4, STATISTICS_BYTES);
/** Sets the interface whose number is the argument back to the start of its recording. Answers 0. */
export const HIGHWAY_REWIND = command(0, 5, 0);

/** The most bytes that one transfer may have: what it pins must stay a small part of memory. */
export const MOST_BYTES = 2 ** 24;

/** What to acquire: `bytes` bytes of an interface, into the caller's memory at `buffer`, of any alignment. */
export interface HighwayRequest {
  readonly buffer: number;
  readonly bytes: number;
  readonly interface: number;
}

/** What the driver has done since it was loaded. */
export interface HighwayStatistics {
  /** Transfers that ended. */
  readonly transfers: number;
  /** Bytes that they moved. */
  readonly bytes: number;
  /** DMA transfers of the card, at most 4 KiB each. */
  readonly chunks: number;
  /** Interrupts that were the card's. */
  readonly interrupts: number;
  /** Transfers that were stopped before their end. */
  readonly aborted: number;
}

export function encodeRequest(request: HighwayRequest): Uint8Array {
  const view = new DataView(new ArrayBuffer(REQUEST_BYTES));
  view.setBigUint64(0, BigInt(request.buffer), true);
  view.setUint32(8, request.bytes, true);
  view.setUint32(12, request.interface, true);
  return new Uint8Array(view.buffer);
}

export function decodeRequest(bytes: Uint8Array): HighwayRequest {
  const view = new DataView(bytes.buffer, bytes.byteOffset, REQUEST_BYTES);
  return {
    buffer: Number(view.getBigUint64(0, true)),
    bytes: view.getUint32(8, true),
    interface: view.getUint32(12, true),
  };
}

const statisticsFields = ["transfers", "bytes", "chunks", "interrupts", "aborted"] as const;

export function encodeStatistics(statistics: HighwayStatistics): Uint8Array {
  const view = new DataView(new ArrayBuffer(STATISTICS_BYTES));
  statisticsFields.forEach((field, index) => {
    view.setBigUint64(8 * index, BigInt(statistics[field]), true);
  });
  return new Uint8Array(view.buffer);
}

export function decodeStatistics(bytes: Uint8Array): HighwayStatistics {
  const view = new DataView(bytes.buffer, bytes.byteOffset, STATISTICS_BYTES);
  const [transfers, moved, chunks, interrupts, aborted] = statisticsFields.map((_, index) =>
    Number(view.getBigUint64(8 * index, true)),
  ) as [number, number, number, number, number];
  return { transfers, bytes: moved, chunks, interrupts, aborted };
}
