import type { Machine } from "@nopage/core";

/** Bits of an `unsigned long` on the machine: 64 wherever a process can have more addresses than 32 bits count. */
export function wordBitsOf({ geometry }: Machine): 32 | 64 {
  return geometry.userEnd > 2 ** 32 ? 64 : 32;
}
