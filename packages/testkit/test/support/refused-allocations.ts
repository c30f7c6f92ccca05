import { ENOMEM, type Sleepable, type UserThread } from "@nopage/core";
import { expect } from "vitest";
import { type FallibleOperation, failEveryAllocation, type Shortage } from "../../src/index.ts";
import { buildCounted, type CountedWorld } from "./counted-device.ts";

export type Program = FallibleOperation<CountedWorld, number>["program"];

/** Tries a program both ways, and answers the sites that it asked at and what it came to. */
export function tried(
  name: string,
  program: Program,
  shortages: readonly Shortage[] = ["one", "from-then-on"],
) {
  const trials = shortages.flatMap((shortage) =>
    failEveryAllocation({ name, build: (allocations) => buildCounted(allocations), program }, shortage),
  );
  return {
    sites: [...new Set(trials.map(({ site }) => site))].sort(),
    answers: [...new Set(trials.map(({ answer }) => answer))],
  };
}

/** What a call must answer: -ENOMEM if an allocation was refused. */
export function expectAnswer(result: number, refused: string | undefined, error = ENOMEM): void {
  if (refused === undefined) expect(result).toBeGreaterThanOrEqual(0);
  else expect({ refused, result }).toEqual({ refused, result: -error });
}

export function* readBack(
  thread: UserThread,
  address: number,
  pages: number,
  word: (page: number) => number,
): Sleepable<void> {
  for (let index = 0; index < pages; index++) {
    expect(yield* thread.load(address + index * thread.machine.geometry.pageSize)).toBe(word(index));
  }
}

export function* fill(thread: UserThread, address: number, pages: number): Sleepable<void> {
  for (let index = 0; index < pages; index++) {
    yield* thread.store(address + index * thread.machine.geometry.pageSize, 100 + index);
  }
}
