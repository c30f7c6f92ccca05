import type { AddressSpace } from "../mm/address-space.ts";

/** What a name in /dev or a memory file stands for (`struct inode`), with the count of open files on it. */
export class Inode {
  readonly id: number;
  readonly name: string;
  /** Where areas that show this object are found (`i_mapping`). A driver may redirect it. */
  mapping: AddressSpace;
  /** Open files (`i_count`'s share of them); announced as `cell`. */
  opens = 0;
  readonly cell: number;
  /** Size in bytes, of a memory file; 0 for a device. */
  size = 0;

  /** @param cell the identity of its count for the scheduler */
  constructor(id: number, name: string, mapping: AddressSpace, cell: number) {
    this.cell = cell;
    this.id = id;
    this.name = name;
    this.mapping = mapping;
  }
}
