import { ENOMEM, isError, type Page, type UserAddress } from "@nopage/core";
import { must, mustBe, mustFail, mustReach } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { LawCase } from "../law.ts";
import { references } from "../support/accounts.ts";
import { frameAt } from "../support/frame-at.ts";
import { privateMemory } from "../support/private-memory.ts";
import { ShortMemory } from "../support/short-memory.ts";

const memory = new ShortMemory();

/** RC-04: pages that a ghost is to keep, without memory for it, and by two at once. */
export const ghostCases: readonly LawCase[] = [
  {
    when: "pages that are shared with a ghost, without memory",
    schedule: "sequential",
    executor: "model",
    kinds: "one",
    machine: { allocations: memory },
    *program({ subject: { pageSize } }) {
      const own = yield* privateMemory(pageSize, [1, 2]);
      const pages = [yield* frameAt(own), yield* frameAt(own + pageSize)];
      const before = yield* references();
      yield* memory.untilEnough(
        "sharing with a ghost",
        () => shareForAMoment(pages),
        function* (answer) {
          if (!isError(answer)) return false;
          mustFail("sharing with a ghost without memory", answer, ENOMEM);
          mustBe("references that are left", (yield* references()) - before, 0);
          return true;
        },
      );
      mustBe("references that are left in the end", (yield* references()) - before, 0);
      for (const page of [0, 1]) {
        mustReach(`a store to page ${page}`, yield* user.store(own + page * pageSize, 7));
        mustBe(`page ${page} of the owner`, yield* frameAt(own + page * pageSize), pages[page]);
      }
    },
  },
  {
    when: "two ghosts that get the same page",
    schedule: "racy",
    executor: "model",
    kinds: "one",
    *program({ subject: { pageSize } }) {
      const own = yield* privateMemory(pageSize, [1]);
      const pages = [yield* frameAt(own)];
      const before = yield* references();
      const other = yield* user.thread(function* () {
        must(!isError(yield* shareForAMoment(pages)), "sharing with the other ghost fails");
      }, "other");
      must(!isError(yield* shareForAMoment(pages)), "sharing with a ghost fails");
      yield* user.join(other);
      mustBe("references that are left", (yield* references()) - before, 0);
      mustReach("a store of the owner", yield* user.store(own, 2));
      mustBe("the owner's page", yield* frameAt(own), pages[0]);
    },
  },
];

/** Makes a ghost, shares pages with it, and takes it down: the address that they had there, or a negated errno. */
function* shareForAMoment(pages: readonly Page[]): Steps<UserAddress | number> {
  return yield* user.kernel(function* ({ machine, kernel }) {
    const ghost = kernel.ghosts.create("the law's ghost");
    if (ghost === undefined) return -ENOMEM;
    const address = yield* kernel.ghosts.share(ghost, pages);
    const areas = [...ghost.areas.all()].length;
    mustBe("areas of the ghost", areas, isError(address) ? 0 : 1);
    if (!isError(address)) yield* kernel.ghosts.unshare(ghost, address as UserAddress, pages.length);
    yield* machine.dropMm(ghost);
    return address;
  });
}
