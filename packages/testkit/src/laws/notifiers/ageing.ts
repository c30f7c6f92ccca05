import { type MmuNotifier, pageWasAccessed } from "@nopage/core";
import { mustBe } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { AnyLaw, LawCase } from "../law.ts";
import { privateMemory } from "../support/private-memory.ts";

/** Whether reclaim finds the page at an address used since it last asked. */
function wasAccessed(address: number): Steps<boolean> {
  return user.kernel(({ thread }) => pageWasAccessed(thread.mm, address));
}

/** How reclaim learns which pages are in use. */
export const ageingLaws: readonly AnyLaw[] = [
  {
    id: "MN-18",
    level: "model-only",
    owner: ["core"],
    rule: "a page MUST count as used when a CPU or any follower's device used it since that was last asked: every follower is asked each time, and the CPUs' translations are flushed, so that the next use is noticed",
    source:
      "mm/rmap.c page_referenced_one; include/linux/mmu_notifier.h ptep_clear_flush_young_notify; mm/mmu_notifier.c __mmu_notifier_clear_flush_young",
    cases: [
      ofOneThread("what a CPU uses", function* (pageSize) {
        const own = yield* privateMemory(pageSize, [7]);
        mustBe("a page that was stored to", yield* wasAccessed(own + 8), true);
        mustBe("the same page, asked again", yield* wasAccessed(own), false);
        yield* user.load(own);
        mustBe("the page after a load by a warm TLB", yield* wasAccessed(own), true);
        yield* user.munmap(own, pageSize);
        mustBe("a page that is not mapped", yield* wasAccessed(own), false);
      }),
      ofOneThread("what devices use", function* (pageSize) {
        const own = yield* privateMemory(pageSize, [7, 8]);
        const asked: string[] = [];
        const uses = new Set<string>();
        const follower = (name: string): MmuNotifier => ({
          name,
          *wasAccessed(_mm, address) {
            asked.push(`${name} of page ${(address - own) / pageSize}`);
            return uses.delete(name);
          },
        });
        const followers = [follower("busy"), { name: "without the hook" }, follower("idle")];
        for (const each of followers) {
          yield* user.kernel(({ kernel, thread }) => kernel.mappings.registerNotifier(thread.mm, each));
        }
        yield* wasAccessed(own);
        for (const name of ["busy", "idle"]) {
          uses.add(name);
          asked.length = 0;
          mustBe(`a page that the device of ${name} used`, yield* wasAccessed(own + 4), true);
          mustBe("who was asked", asked, ["busy of page 0", "idle of page 0"]);
        }
        mustBe("the page, asked again", yield* wasAccessed(own), false);
        asked.length = 0;
        yield* user.madvise(own + pageSize, pageSize, "dontneed");
        mustBe("a page that is gone", yield* wasAccessed(own + pageSize), false);
        mustBe("who was asked of a page that is gone", asked, []);
        for (const each of followers) {
          yield* user.kernel(({ kernel, thread }) => kernel.mappings.unregisterNotifier(thread.mm, each));
        }
      }),
      {
        when: "a use by another thread meanwhile",
        schedule: "racy",
        kinds: "one",
        *program({ subject: { pageSize } }) {
          const own = yield* privateMemory(pageSize, [7]);
          yield* wasAccessed(own);
          let isUsed = false;
          const other = yield* user.thread(function* () {
            yield* user.load(own);
            isUsed = true;
          });
          const wasUsedBefore = isUsed;
          const answer = yield* wasAccessed(own);
          if (wasUsedBefore) mustBe("a page that was used before it was asked", answer, true);
          yield* user.join(other);
          // Whichever came first: the use is noticed, at once or the next time.
          mustBe("whether the use was noticed at all", (yield* wasAccessed(own)) || answer, true);
        },
      },
    ],
  },
];

function ofOneThread(when: string, program: (pageSize: number) => Steps<void>): LawCase {
  return { when, schedule: "sequential", kinds: "one", program: ({ subject }) => program(subject.pageSize) };
}
