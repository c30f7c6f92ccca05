/** Numbers that look random and are the same for the same seed: the generator "mulberry32", of 32 bits of state. */
export class RandomNumbers {
  #state: number;

  /** @param seed any int32 */
  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** A fraction in `[0, 1)`. */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    return mixed(this.#state) / 2 ** 32;
  }

  /** A whole number in `[0, end)`. */
  below(end: number): number {
    return Math.floor(this.fraction() * end);
  }
}

/** The numbers of one run of many, from 0, that were asked for with a seed: whoever makes it, and in whatever order. */
export function numbersOfRun(seed: number, run: number): RandomNumbers {
  // Neighbours among seeds and runs begin far from each other.
  return new RandomNumbers(mixed((mixed(seed | 0) ^ Math.imul(run + 1, 0x9e3779b1)) | 0));
}

/** A uint32 in which each bit depends on all bits of another one. */
function mixed(state: number): number {
  let bits = Math.imul(state ^ (state >>> 15), state | 1);
  bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
  return (bits ^ (bits >>> 14)) >>> 0;
}
