/**
 * BAR0: the register file of QEMU's `edu` device (docs/specs/edu.rst), so that driver logic written for the one works
 * on the other. Offsets in bytes.
 */
export const edu = {
  /** RO: `0xRRrr00ed`, major and minor version. */
  identification: 0x00,
  /** RW: reads as the bitwise NOT of what was written. */
  liveness: 0x04,
  /** RW: a number; once `STATUS_COMPUTING` is clear, its factorial modulo 2^32. */
  factorial: 0x08,
  /** RW: `STATUS_*`. */
  status: 0x20,
  /** RO: what raised the interrupt, `INTERRUPT_*` or what was written to `interruptRaise`. */
  interruptStatus: 0x24,
  /** WO: bits to set in `interruptStatus`; raises the interrupt. */
  interruptRaise: 0x60,
  /** WO: bits to clear in `interruptStatus`; the last one lowers the level. */
  interruptAcknowledge: 0x64,
  /** RW: where DMA takes its bytes from: a bus address, or an address in the DMA window. */
  dmaSource: 0x80,
  /** RW: where DMA puts them. */
  dmaDestination: 0x88,
  /** RW: bytes, at most `DMA_WINDOW_BYTES`. */
  dmaCount: 0x90,
  /** RW: `DMA_*`. Reads with `DMA_START` while DMA runs; until then writes to all four are ignored. */
  dmaCommand: 0x98,
} as const;

export const BAR0_BYTES = 0x10_0000;
export const EDU_IDENTIFICATION = 0x0100_00ed;

/** A factorial is being computed (RO). */
export const STATUS_COMPUTING = 0x01;
/** Raise `INTERRUPT_FACTORIAL` when it is done. */
export const STATUS_INTERRUPT = 0x80;

export const INTERRUPT_FACTORIAL = 0x001;
export const INTERRUPT_DMA = 0x100;

/** Start; reads as set while the transfer runs. */
export const DMA_START = 0x01;
/** From the card to memory; without it from memory to the card. */
export const DMA_TO_MEMORY = 0x02;
/** Raise `INTERRUPT_DMA` at the end. */
export const DMA_INTERRUPT = 0x04;
/**
 * The address in memory is one of a process, translated by the card's own MMU; `edu` has none. A device fault ends the
 * transfer before the byte that it is about: `controller.fault` tells.
 */
export const DMA_TRANSLATED = 0x08;

/** Where the card's DMA buffer lies in the card's own address space; neither `edu` nor the model shows it as registers. */
export const DMA_WINDOW = 0x4_0000;
export const DMA_WINDOW_BYTES = 4096;

/** Registers below are 4 bytes wide; from here on 4 or 8. */
export const WIDE_REGISTERS = 0x80;
