declare const ownerTag: unique symbol;

/**
 * Who allocated a frame, as a small number into an `OwnerTable`: what Linux's `CONFIG_PAGE_OWNER` keeps as a stack
 * trace. Zero means that the frame is free.
 */
export type OwnerTag = number & { readonly [ownerTag]: true };

/** The owners that every machine knows. */
export const owners = {
  free: 0 as OwnerTag,
  reserved: 1 as OwnerTag,
  anon: 2 as OwnerTag,
  pageCache: 3 as OwnerTag,
  driver: 4 as OwnerTag,
  slab: 5 as OwnerTag,
  kmalloc: 6 as OwnerTag,
  vmalloc: 7 as OwnerTag,
  coherent: 8 as OwnerTag,
  pageTable: 9 as OwnerTag,
  kernel: 10 as OwnerTag,
} as const;

const builtIn = [
  "free",
  "reserved",
  "anon",
  "page-cache",
  "driver",
  "slab",
  "kmalloc",
  "vmalloc",
  "coherent",
  "page-table",
  "kernel",
];

const MOST_OWNERS = 2 ** 16;

/** The names behind the owner tags of one machine. Names are for reports: no behaviour depends on them. */
export class OwnerTable {
  readonly #names: string[] = [...builtIn];

  /**
   * The tag for a name, the same one each time. Meant to be asked once and kept, not at every allocation.
   *
   * @throws RangeError when 65,536 names are taken, which means that somebody makes up names in a loop.
   */
  tag(name: string): OwnerTag {
    const known = this.#names.indexOf(name);
    if (known >= 0) return known as OwnerTag;
    if (this.#names.length === MOST_OWNERS) throw new RangeError(`more than ${MOST_OWNERS} owners of memory`);
    return (this.#names.push(name) - 1) as OwnerTag;
  }

  name(tag: OwnerTag): string {
    return this.#names[tag] ?? `owner ${tag}`;
  }
}
