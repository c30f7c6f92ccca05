/** A mistake that the kernel remembers. */
export interface Taint {
  /** As oopses show it, such as `D`. */
  readonly letter: string;
  readonly what: string;
}

interface TaintBit extends Taint {
  readonly bit: number;
}

/** Those bits of `/proc/sys/kernel/tainted` that tell of a mistake (`taint_flags` in kernel/panic.c of Linux 6.1). */
const mistakes: readonly TaintBit[] = [
  { bit: 4, letter: "M", what: "an error of the processor's own" },
  { bit: 5, letter: "B", what: "a page or an object of a slab in a bad state" },
  { bit: 7, letter: "D", what: "an oops or a BUG" },
  { bit: 9, letter: "W", what: "a warning" },
  { bit: 14, letter: "L", what: "a soft lockup" },
];

/** The mistakes that the kernel has remembered between two looks at `/proc/sys/kernel/tainted`. */
export function newTaints(before: number, now: number): readonly Taint[] {
  const fresh = now & ~before;
  return mistakes
    .filter(({ bit }) => (fresh & (1 << bit)) !== 0)
    .map(({ letter, what }) => ({ letter, what }));
}
