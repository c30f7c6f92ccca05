import { expect, test } from "vitest";
import { inParallel } from "../../src/run/in-parallel.ts";

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

async function all<T>(results: AsyncGenerator<T>): Promise<readonly T[]> {
  const list: T[] = [];
  for await (const result of results) list.push(result);
  return list;
}

test("every item MUST be taken once, by no more workers than are asked for, each of which is ended", async () => {
  let atWork = 0;
  let most = 0;
  let ended = 0;
  const results = await all(
    inParallel([1, 2, 3, 4, 5], 2, async function* (next) {
      try {
        for (let item = next(); item !== undefined; item = next()) {
          most = Math.max(most, ++atWork);
          await turn();
          yield item * 10;
          yield item * 10 + 1;
          atWork--;
        }
      } finally {
        ended++;
      }
    }),
  );
  expect([...results].sort((a, b) => a - b)).toEqual([10, 11, 20, 21, 30, 31, 40, 41, 50, 51]);
  expect({ most, ended }).toEqual({ most: 2, ended: 2 });
});

test("what one worker throws MUST reach the caller, once the others have cleaned up", async () => {
  let ended = 0;
  const results = inParallel(["good", "bad"], 2, async function* (next) {
    try {
      const item = next();
      await turn();
      if (item === "bad") throw new Error("it is bad");
      for (;;) {
        await turn();
        yield item;
      }
    } finally {
      ended++;
    }
  });
  await expect(all(results)).rejects.toThrow("it is bad");
  expect(ended).toBe(2);
});
