import { ENOMEM, isError } from "@nopage/core";
import { must, mustBe, mustFail, mustReach, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { LawCase } from "../law.ts";
import { frameAt, SATURATED, setReferences } from "../support/frame-at.ts";
import { type PageRequest, TO_READ, tryPage } from "../support/get-pages.ts";
import { ownDevice } from "../support/own-device.ts";
import { privateMemory } from "../support/private-memory.ts";

/** RC-05: whoever wants a reference on a page all of whose references are taken is refused, and nothing is changed. */
export const saturationCases: readonly LawCase[] = [
  ...(["reference", "pin"] as const).map(
    (hold): LawCase => ({
      when: `get_user_pages by ${hold}`,
      schedule: "sequential",
      executor: "model",
      kinds: "one",
      *program({ subject: { pageSize } }) {
        const own = yield* privateMemory(pageSize, [1]);
        const request: PageRequest = { access: "write", hold, permission: "checked" };
        yield* whileSaturated(own, function* () {
          mustFail(`get_user_pages by ${hold}`, yield* tryPage(own, request), ENOMEM);
        });
        mustBe("the same, once there are references again", yield* tryPage(own, request), 0);
      },
    }),
  ),
  {
    when: "get_user_pages of a page that a child shares, which needs a copy first",
    schedule: "sequential",
    executor: "model",
    kinds: "one",
    *program({ subject: { pageSize } }) {
      const own = yield* privateMemory(pageSize, [1]);
      const child = yield* user.fork(function* () {
        yield* user.sleep(1000);
        mustBe("what the child reads", yield* user.load(own), 1);
      });
      yield* whileSaturated(own, function* () {
        mustFail("get_user_pages for a device that reads", yield* tryPage(own, TO_READ), ENOMEM);
      });
      mustBe("the same, once there are references again", yield* tryPage(own, TO_READ), 0);
      if (typeof child !== "number") yield* user.join(child);
    },
  },
  {
    when: "a fork of private memory",
    schedule: "sequential",
    executor: "model",
    kinds: "one",
    *program({ subject: { pageSize } }) {
      const own = yield* privateMemory(pageSize, [1, 2]);
      yield* whileSaturated(own + pageSize, function* () {
        const child = yield* user.fork(function* () {});
        mustFail("fork", typeof child === "number" ? child : 0, ENOMEM);
      });
      for (const page of [0, 1]) {
        mustReach(`a store to page ${page}`, yield* user.store(own + page * pageSize, 7 + page));
        mustBe(`page ${page}`, yield* user.load(own + page * pageSize), 7 + page);
      }
    },
  },
  {
    when: "a page that a driver inserts",
    schedule: "sequential",
    executor: "model",
    kinds: "one",
    *program() {
      let answer = 0;
      const device = yield* ownDevice({
        *mmap(area, { kernel, machine, pages: [first] }) {
          if (first === undefined) return -ENOMEM;
          machine.memory.frames.refcount[first] = SATURATED;
          answer = yield* kernel.mappings.insertPage(area, area.start, first);
          machine.memory.frames.refcount[first] = 1;
          return 0;
        },
      });
      const { address } = yield* device.mapped();
      mustFail("insertPage", answer, ENOMEM);
      must(!(yield* user.pagemap(address, 1)).includes(true), "an entry is left behind");
      mustBe("the page, once there are references again", yield* user.load(address), device.markOf(0));
      yield* device.release();
    },
  },
  {
    when: "a page that is shared with a ghost",
    schedule: "sequential",
    executor: "model",
    kinds: "one",
    *program({ subject: { pageSize } }) {
      const own = yield* privateMemory(pageSize, [1, 2]);
      const pages = [yield* frameAt(own), yield* frameAt(own + pageSize)];
      yield* whileSaturated(own + pageSize, function* () {
        const answer = yield* user.kernel(function* ({ machine, kernel }) {
          const ghost = kernel.ghosts.create("the law's ghost");
          if (ghost === undefined) throw new Error("the law's machine is out of memory");
          const address = yield* kernel.ghosts.share(ghost, pages);
          const { rssAnon } = ghost;
          yield* machine.dropMm(ghost);
          return isError(address) ? address : rssAnon;
        });
        mustFail("sharing with a ghost", answer, ENOMEM);
      });
      mustReach("a store of the owner", yield* user.store(own, 7));
      mustBe("the owner's page", yield* frameAt(own), pages[0]);
      yield* succeed("munmap", user.munmap(own, 2 * pageSize));
    },
  },
];

/** Does something while the page at an address has as many references as it can; its count must be the same afterwards. */
function* whileSaturated(address: number, body: () => Steps<void>): Steps<void> {
  const page = yield* frameAt(address);
  const before = yield* setReferences(page, SATURATED);
  yield* body();
  mustBe("the count of references", yield* setReferences(page, before), SATURATED);
}
