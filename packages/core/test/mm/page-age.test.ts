import { expect, test } from "vitest";
import type { MmuNotifier } from "../../src/contract/mmu-notifier.ts";
import { registerNotifier, unregisterNotifier } from "../../src/mm/notifier.ts";
import { pageWasAccessed } from "../../src/mm/page-age.ts";
import { mapAnonymous } from "../support/test-device.ts";
import { runProgram } from "../support/world.ts";

test("a page that a CPU used MUST be old once asked, and young again after the next use, TLB or not", () => {
  runProgram(
    () =>
      function* (thread) {
        const address = yield* mapAnonymous(thread, 1);
        expect(yield* pageWasAccessed(thread.mm, address)).toBe(false);
        yield* thread.store(address, 1);
        expect(yield* pageWasAccessed(thread.mm, address)).toBe(true);
        expect(yield* pageWasAccessed(thread.mm, address)).toBe(false);
        yield* thread.load(address);
        expect(yield* pageWasAccessed(thread.mm, address)).toBe(true);
      },
  );
});

test("a page that only a follower's device used MUST be young, and every follower MUST be asked", () => {
  runProgram(
    () =>
      function* (thread) {
        const address = yield* mapAnonymous(thread, 1);
        yield* thread.store(address, 1);
        const asked: string[] = [];
        const follower = (name: string, used: boolean): MmuNotifier => ({
          name,
          *wasAccessed() {
            asked.push(name);
            return used;
          },
        });
        const followers = [follower("busy", true), follower("idle", false)];
        for (const each of followers) yield* registerNotifier(thread.mm, each);
        yield* pageWasAccessed(thread.mm, address);
        asked.length = 0;
        expect(yield* pageWasAccessed(thread.mm, address)).toBe(true);
        expect(asked).toEqual(["busy", "idle"]);
        for (const each of followers) yield* unregisterNotifier(thread.mm, each);
        expect(yield* pageWasAccessed(thread.mm, address)).toBe(false);
      },
  );
});
