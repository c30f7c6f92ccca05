import { ENOMEM } from "@nopage/core";
import { mustBe, mustFail, mustReach } from "../../program/expect.ts";
import { user } from "../../program/user.ts";
import { forkWithoutTablesCase } from "../eager/large-leaves.ts";
import type { LawCase } from "../law.ts";
import { frameAt } from "../support/frame-at.ts";
import { getPages, releasePages, TO_WRITE } from "../support/get-pages.ts";
import { privateMemory } from "../support/private-memory.ts";
import { ShortMemory } from "../support/short-memory.ts";

const memory = new ShortMemory();

/** LC-05: forks of what has to be copied at once, with each of their allocations refused. */
export const shortForkCases: readonly LawCase[] = [
  {
    when: "of pinned pages, each of which the child needs a copy of",
    schedule: "sequential",
    executor: "model",
    kinds: "one",
    machine: { allocations: memory },
    *program({ subject: { pageSize } }) {
      const own = yield* privateMemory(pageSize, [1, 2, 3]);
      const held = yield* getPages(own + pageSize, 2, TO_WRITE);
      const page = yield* frameAt(own + pageSize);
      mustBe("what get_user_pages answers", held, [page, yield* frameAt(own + 2 * pageSize)]);
      yield* memory.untilEnough(
        "fork",
        () =>
          user.fork(function* () {
            for (const index of [0, 1, 2]) {
              mustBe(`page ${index} of the child`, yield* user.load(own + index * pageSize), 1 + index);
            }
          }),
        function* (child) {
          if (typeof child !== "number") {
            yield* user.join(child);
            return false;
          }
          mustFail("fork without memory", child, ENOMEM);
          for (const index of [0, 1, 2]) {
            const at = own + index * pageSize;
            mustReach(`a store to page ${index} after that`, yield* user.store(at, 1 + index));
          }
          mustBe("the page that the device has", yield* frameAt(own + pageSize), page);
          return true;
        },
      );
      yield* releasePages(held, TO_WRITE);
    },
  },
  forkWithoutTablesCase,
];
