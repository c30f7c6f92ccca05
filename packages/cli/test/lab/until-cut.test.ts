import { GuestLost, ModuleRefused, NoGuests } from "@nopage/linux-lab";
import { describe, expect, test } from "vitest";
import { untilCut } from "../../src/lab/until-cut.ts";
import { UsageError } from "../../src/usage-error.ts";

/** Results 1 and 2, then what follows, and then 3. */
async function* resultsThen(then: () => Promise<void> | void): AsyncGenerator<number, void, void> {
  yield 1;
  yield 2;
  await then();
  yield 3;
}

async function taken(resultsOf: (stop: AbortSignal) => AsyncIterable<number>) {
  const results: number[] = [];
  const cut = await untilCut(resultsOf, (result) => results.push(result));
  return { results, cut };
}

describe("a run in the lab", () => {
  test("that comes to its end is not cut", async () => {
    expect(await taken(() => resultsThen(() => {}))).toEqual({ results: [1, 2, 3], cut: undefined });
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("that %s ends keeps what it had found, and nothing of what it was at", async (by, code) => {
    const listeners = process.listenerCount(by);
    const end = await taken((stop) =>
      resultsThen(async () => {
        const stopped = new Promise((resolve) => stop.addEventListener("abort", resolve));
        process.kill(process.pid, by);
        await stopped;
        // The second time nobody is there to be asked: the process ends.
        expect(process.listenerCount(by)).toBe(listeners);
      }),
    );
    expect(end).toEqual({ results: [1, 2], cut: { by, code } });
    const failing = await taken((stop) =>
      resultsThen(async () => {
        process.kill(process.pid, by);
        await new Promise((resolve) => stop.addEventListener("abort", resolve));
        stop.throwIfAborted();
      }),
    );
    expect(failing).toEqual(end);
  });

  test.each([
    [new NoGuests("none comes up"), 1],
    [new GuestLost("it does not come up"), 1],
    [new ModuleRefused("/mine.ko", "errno 8"), 2],
  ])("that ends with a %o keeps what it had found", async (failure, code) => {
    const end = await taken(() => resultsThen(() => Promise.reject(failure)));
    expect(end).toEqual({ results: [1, 2], cut: { by: failure.message, code } });
  });

  test("of a module that is refused from the beginning is a usage error", async () => {
    const refused = taken(async function* () {
      await Promise.reject(new ModuleRefused("/mine.ko", "errno 8\nUnknown symbol"));
    });
    await expect(refused).rejects.toThrow(UsageError);
    await expect(refused).rejects.toThrow(/--module: found "\/mine.ko"; expected .* errno 8\nUnknown symbol/);
  });

  test("does not hide a mistake of our own", async () => {
    await expect(taken(() => resultsThen(() => Promise.reject(new Error("own"))))).rejects.toThrow("own");
  });
});
