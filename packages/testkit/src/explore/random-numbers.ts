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
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number in `[0, end)`. */
  below(end: number): number {
    return Math.floor(this.fraction() * end);
  }
}
