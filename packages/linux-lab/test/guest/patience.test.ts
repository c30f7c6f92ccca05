import { expect, test } from "vitest";
import { afterPatience } from "../../src/guest/patience.ts";

function holdUp(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

test("a wait MUST come to its end, though not because its own process was held up", async () => {
  const order: string[] = [];
  const over = new Promise<void>((resolve) => {
    afterPatience(40, () => {
      order.push("the wait is over");
      resolve();
    });
  });
  setTimeout(() => order.push("what was due meanwhile"), 30);
  holdUp(80);
  await over;
  expect(order).toEqual(["what was due meanwhile", "the wait is over"]);
});

test("a wait that is cancelled MUST NOT come to its end", async () => {
  let isOver = false;
  afterPatience(5, () => {
    isOver = true;
  }).cancel();
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(isOver).toBe(false);
});
