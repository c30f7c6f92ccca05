import { describe, expect, test } from "vitest";
import { RaceOrder } from "../../src/execute/race-order.ts";

const seeds = Array.from({ length: 200 }, (_, seed) => seed);

describe("the order of a race", () => {
  test("MUST be the same for the same seed, and others for other seeds", () => {
    const draw = (seed: number) => {
      const order = new RaceOrder(seed);
      return Array.from({ length: 20 }, () => [
        order.waits(),
        order.chosen(["a", "b", "c"]),
        order.delays(3),
      ]);
    };
    expect(draw(5)).toEqual(draw(5));
    expect(new Set(seeds.map((seed) => JSON.stringify(draw(seed)))).size).toBe(seeds.length);
  });

  test("MUST let somebody go on each time, all of them often, and each alone now and then", () => {
    const seen = new Set(seeds.map((seed) => new RaceOrder(seed).chosen(["a", "b"]).join("")));
    expect([...seen].sort()).toEqual(["a", "ab", "b"]);
    const all = seeds.filter((seed) => new RaceOrder(seed).chosen(["a", "b"]).length === 2);
    expect(all.length).toBeGreaterThan(seeds.length / 2);
  });

  test("MUST have one begin at once, either of them, and the other up to some hundred microseconds later", () => {
    const drawn = seeds.map((seed) => new RaceOrder(seed).delays(2));
    expect(drawn.every((delays) => Math.min(...delays) === 0)).toBe(true);
    for (const at of [0, 1]) {
      const delays = drawn.map((each) => each[at] ?? 0);
      expect(Math.max(...delays)).toBeGreaterThan(200);
      expect(Math.max(...delays)).toBeLessThanOrEqual(400);
      expect(delays.some((delay) => delay > 0 && delay < 20)).toBe(true);
    }
  });
});
