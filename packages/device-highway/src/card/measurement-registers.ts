/**
 * BAR1: what the Highway card has and `edu` has not. Its first half is the measurement region, which user space may
 * map; its second half holds the registers that only the driver uses. Each half is one page of the largest page size
 * that the machine knows, so that a mapping of the one never shows the other. Offsets in bytes; registers are 4 bytes
 * wide.
 */
export const BAR1_BYTES = 0x2_0000;

/** The measurement region is `[0, REGION_BYTES)` of BAR1. While DMA runs nothing in it may be touched. */
export const REGION_BYTES = 0x1_0000;

/** What the region begins with; all RO. */
export const region = {
  /** `REGION_MAGIC`. */
  magic: 0x00,
  /** Measurement interfaces. */
  interfaces: 0x04,
  /** Blocks latched since the card was plugged in, modulo 2^32. */
  sequence: 0x08,
} as const;

/** "HWY1", little-endian. */
export const REGION_MAGIC = 0x3159_5748;

/** Interface `k` has the bytes `[(k + 1) * INTERFACE_BYTES, (k + 2) * INTERFACE_BYTES)` of the region. */
export const INTERFACE_BYTES = 0x1000;
/** More would not fit into the region. */
export const MOST_INTERFACES = REGION_BYTES / INTERFACE_BYTES - 1;

/** Registers of one measurement interface, from the start of its part of the region. */
export const measurement = {
  /** RO: `INTERFACE_MAGIC + k`. */
  identification: 0x00,
  /** RW: `CONTROL_*`. */
  control: 0x04,
  /** RO: `INTERFACE_*`. */
  status: 0x08,
  /** RO: bytes that can still be latched. */
  available: 0x0c,
  /** RO: samples a second, rounded; 0 for unknown. */
  sampleRate: 0x10,
  /** RO: bytes latched since the recording's start, modulo 2^32. */
  position: 0x14,
  /** RO: bytes of the whole recording, modulo 2^32. */
  length: 0x18,
  /** RO: sample memory, the `SAMPLE_BYTES` bytes from `position` on; zeros past the end. */
  samples: 0x800,
} as const;

export const INTERFACE_MAGIC = 0x4857_0000;
/** Bytes of an interface's sample memory. */
export const SAMPLE_BYTES = INTERFACE_BYTES - measurement.samples;

/** The converter runs; without it nothing can be latched. Set when the card is plugged in. */
export const CONTROL_ENABLE = 0x01;
/** Back to the start of the recording; reads as 0. */
export const CONTROL_REWIND = 0x02;

/** There is something to latch. */
export const INTERFACE_READY = 0x01;
/** The recording is at its end. */
export const INTERFACE_AT_END = 0x02;

/** Where interface `k` lies in the region. */
export function interfaceOffset(index: number): number {
  return (index + 1) * INTERFACE_BYTES;
}

/** The driver's half of BAR1. */
export const controller = {
  /** RW: the interface that `latch` takes from. */
  select: REGION_BYTES,
  /** WO: moves so many bytes of the selected interface, or what it has left, to the start of the DMA window. */
  latch: REGION_BYTES + 0x04,
  /** RO: bytes that the last latch moved. */
  latched: REGION_BYTES + 0x08,
  /** WO: any value stops a running transfer after its current burst; without one it does nothing. */
  abort: REGION_BYTES + 0x0c,
  /** RO: bytes that the last transfer moved. */
  transferred: REGION_BYTES + 0x10,
  /** RO: 1 if the last transfer ended at an address for which the card has no translation. */
  fault: REGION_BYTES + 0x14,
} as const;

/** A register of BAR1 in words, for reports: `position of interface 2`. */
export function describeRegister(offset: number): string {
  if (offset >= REGION_BYTES) return nameIn(controller, offset);
  if (offset < INTERFACE_BYTES) return nameIn(region, offset);
  const index = Math.floor(offset / INTERFACE_BYTES) - 1;
  const inside = offset % INTERFACE_BYTES;
  const name = inside >= measurement.samples ? "sample memory" : nameIn(measurement, inside);
  return `${name} of interface ${index}`;
}

function nameIn(registers: Readonly<Record<string, number>>, offset: number): string {
  const base = offset - (offset % 4);
  const found = Object.entries(registers).find(([, at]) => at === base);
  return found?.[0] ?? `0x${offset.toString(16)}`;
}
