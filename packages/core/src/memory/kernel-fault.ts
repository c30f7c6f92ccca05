import type { KernelAddress } from "../contract/units.ts";

/**
 * The kernel touched, or asked for the page behind, an address that has none: what Linux prints as "unable to handle
 * kernel paging request" and ends in an oops. Thrown, because the code that did it cannot go on.
 */
export class KernelFault extends Error {
  override readonly name = "KernelFault";
  /** The address that was used, in bytes. */
  readonly address: KernelAddress;

  constructor(address: KernelAddress, reason: string) {
    super(`kernel address ${hexAddress(address)}: ${reason}`);
    this.address = address;
  }
}

/** An address, or a frame number, as reports print it. */
export function hexAddress(address: number): string {
  return `0x${address.toString(16)}`;
}
