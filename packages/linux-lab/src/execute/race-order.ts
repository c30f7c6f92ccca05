import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/**
 * How far apart operations of one race may begin, in microseconds, one of these for each race: what takes a few microseconds on
 * a real machine takes some dozen under emulation, and what is to be met may be short or long.
 */
const spreads = [0, 20, 60, 150, 400] as const;

/** Decides by its seed what the actors of a racy program do at the same time, and how far apart they begin. */
export class RaceOrder {
  readonly #generator;

  /** @param seed any int32: the same decisions for the same seed */
  constructor(seed: number) {
    this.#generator = xoroshiro128plus(seed);
  }

  /** Whether those that are ready wait for those that are at work, so as to begin their next operations together. */
  waits(): boolean {
    return this.#below(8) > 0;
  }

  /** Who of those that are ready goes on now, one at the least: all of them two times out of three. */
  chosen<Actor>(ready: readonly Actor[]): readonly Actor[] {
    if (ready.length < 2 || this.#below(3) > 0) return ready;
    const one = this.#below(ready.length);
    return ready.filter((_, at) => at === one || this.#below(3) === 0);
  }

  /** How much later than the first each of so many operations begins, in microseconds. */
  delays(count: number): readonly number[] {
    const spread = spreads[this.#below(spreads.length)] ?? 0;
    const delays = Array.from({ length: count }, () => this.#below(spread + 1));
    const first = Math.min(...delays);
    return delays.map((delay) => delay - first);
  }

  #below(end: number): number {
    return uniformInt(this.#generator, 0, end - 1);
  }
}
