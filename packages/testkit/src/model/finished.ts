import { isGenerator, type MaySleep, type Sleepable } from "@nopage/core";

/** What a hook answers, once it has: one that is a plain function has already. */
export function* finished<T>(answer: MaySleep<T>): Sleepable<T> {
  return isGenerator(answer) ? yield* answer : answer;
}
