import { type Chooser, randomChooser } from "@nopage/core";

/**
 * A random walk that stays with a task most of the time, so that whole operations of one fit between two steps of
 * another. The uniform walk finds races of two tasks at close quarters; this one those that need a long pause.
 */
export function reluctantChooser(seed: number): Chooser {
  const random = randomChooser(seed);
  let state = seed;
  return {
    ...random,
    name: `reluctant (seed ${seed})`,
    choose(enabled, last) {
      state = (Math.imul(state, 0x41c6_4e6d) + 12_345) | 0;
      const stays = state >>> 29 !== 0;
      return stays && last !== undefined && enabled.includes(last) ? last : random.choose(enabled, last);
    },
  };
}
