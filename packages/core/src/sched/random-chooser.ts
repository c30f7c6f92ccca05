import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { Chooser } from "./chooser.ts";
import type { Task } from "./task.ts";

/** A uniform random walk over the enabled tasks, switching at every point. The seed is any int32. */
export function randomChooser(seed: number): Chooser {
  const generator = xoroshiro128plus(seed);
  return {
    name: `random (seed ${seed})`,
    interleaves: true,
    choose(enabled: readonly Task[]): Task {
      return enabled[uniformInt(generator, 0, enabled.length - 1)];
    },
  };
}
