/** The 32-bit word that object page `index` begins with, so that a test recognises it. */
export function markOf(index: number): number {
  return 0xface_0000 + index;
}

/** What stands in place of every mark while nobody may look. */
export const HIDDEN = 0xdead_dead;
