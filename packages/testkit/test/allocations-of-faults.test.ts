import { ENOMEM, isTrap } from "@nopage/core";
import { describe, expect, it } from "vitest";
import type { Shortage } from "../src/index.ts";
import { countedPath, mapAnonymous, mapCounted, RW } from "./support/counted-device.ts";
import { expectAnswer, tried } from "./support/refused-allocations.ts";

describe("faults with each of their allocations refused", () => {
  const oneByOne: readonly Shortage[] = ["one"];

  it.each(["private", "shared"] as const)(
    "anonymous %s: a store MUST be tried again and get through (FR-03)",
    (sharing) => {
      const { sites } = tried(
        "a fault",
        function* ({ world, thread, inject }) {
          const address = yield* mapAnonymous(thread, 2, sharing);
          expect(isTrap(yield* inject(() => thread.store(address, 7)))).toBe(false);
          expect(yield* thread.load(address)).toBe(7);
          yield* thread.munmap(address, 2 * world.page);
          return 0;
        },
        oneByOne,
      );
      expect(sites).toEqual(["alloc_pages", "page-table"]);
    },
  );

  it("of a device's page: MUST be tried again and get through", () => {
    tried(
      "a nopage fault",
      function* ({ world, thread, inject }) {
        const address = yield* mapCounted(thread);
        expect(isTrap(yield* inject(() => thread.load(address + world.page)))).toBe(false);
        yield* thread.munmap(address, 8 * world.page);
        return 0;
      },
      oneByOne,
    );
  });

  it("of a copy after fork, and of a private copy of a device's page: MUST be tried again and get through", () => {
    tried(
      "a copy",
      function* ({ world, thread, inject }) {
        const own = yield* mapAnonymous(thread, 1);
        yield* thread.store(own, 5);
        const descriptor = yield* thread.open({
          path: countedPath,
          mode: "read-write",
          blocking: "blocking",
        });
        const copied = yield* thread.mmap({
          length: world.page,
          protection: RW,
          sharing: "private",
          descriptor,
        });
        yield* thread.load(copied);
        const child = yield* thread.fork(function* (other) {
          yield* other.nanosleep(10_000_000);
          expect(yield* other.load(own)).toBe(5);
        });
        if (typeof child === "number") throw new Error("no fork");
        yield* inject(function* () {
          yield* thread.store(own, 6);
          yield* thread.store(copied, 8);
        });
        expect(yield* thread.load(own)).toBe(6);
        expect(yield* thread.load(copied)).toBe(8);
        yield* child.waitForEnd();
        yield* thread.munmap(own, world.page);
        yield* thread.munmap(copied, world.page);
        yield* thread.close(descriptor);
        return 0;
      },
      oneByOne,
    );
  });

  it("a fault by the kernel MUST be an error of the call, not another try (FR-03)", () => {
    const { answers } = tried("populate", function* ({ world, thread, inject, refused }) {
      const address = yield* mapAnonymous(thread, 3);
      const result = yield* inject(() => thread.madvise(address, 3 * world.page, "populate-write"));
      expectAnswer(result, refused());
      yield* thread.munmap(address, 3 * world.page);
      return result;
    });
    expect(answers).toEqual([-ENOMEM]);
  });
});
