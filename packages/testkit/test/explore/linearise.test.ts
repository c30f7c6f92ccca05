import { describe, expect, it } from "vitest";
import { type KnownOrder, linearised } from "#src/explore/linearise";

/** Steps of tasks, ordered within each task and by the pairs given, whatever follows from them. */
function orderOf(
  tasks: readonly number[],
  pairs: readonly (readonly [number, number])[],
  waits = pairs,
): KnownOrder {
  const isBefore = (earlier: number, later: number): boolean =>
    earlier < later &&
    (tasks[earlier] === tasks[later] ||
      pairs.some(([one, other]) => one === earlier && other === later) ||
      tasks.some(
        (_, between) =>
          earlier < between && between < later && isBefore(earlier, between) && isBefore(between, later),
      ));
  return {
    tasks,
    isBefore,
    waitsFor: (earlier, later) => waits.some(([one, other]) => one === earlier && other === later),
  };
}

describe("the order that stands for all equal runs", () => {
  it("MUST have no switch that nothing asks for", () => {
    expect(linearised(orderOf([2, 1, 2, 1, 2], []))).toEqual([1, 1, 2, 2, 2]);
  });

  it("MUST be the same for every run that is equal", () => {
    // Both threads write what the other reads later: 1 writes, 2 reads that, in two orders of the rest.
    const one = linearised(orderOf([1, 2, 1, 2], [[0, 3]]));
    const other = linearised(orderOf([1, 1, 2, 2], [[0, 3]]));
    expect(one).toEqual([1, 1, 2, 2]);
    expect(other).toEqual(one);
  });

  it("MUST keep every pair in its order", () => {
    // Task 2 goes between the two steps of task 1.
    const pairs = [
      [0, 1],
      [1, 2],
    ] as const;
    expect(linearised(orderOf([1, 2, 1], pairs, []))).toEqual([1, 2, 1]);
  });

  it("MUST rather switch where a task has to wait than where it could have gone on", () => {
    // Task 1 could go on after its first step, if another task had not come first; task 2 waits for that step.
    const [waits, race] = [[0, 2] as const, [1, 3] as const];
    expect(linearised(orderOf([1, 2, 2, 1], [waits, race], [waits]))).toEqual([2, 1, 1, 2]);
  });
});
