import { ENOMEM } from "@nopage/core";
import { must, mustBe, mustFail, mustReach } from "../../program/expect.ts";
import { user } from "../../program/user.ts";
import type { LawCase } from "../law.ts";
import { frameAt } from "../support/frame-at.ts";
import { getPages, releasePages, TO_READ, TO_WRITE } from "../support/get-pages.ts";
import { privateMemory } from "../support/private-memory.ts";
import { ShortMemory } from "../support/short-memory.ts";

const memory = new ShortMemory();

/**
 * GP-04: a page that a fork has shared is made the process's own before it is pinned, be it for a device that reads
 * (`gup_must_unshare`): else the first store would part the device from the process.
 */
export const unsharingCases: readonly LawCase[] = [
  ...([TO_READ, TO_WRITE] as const).map(
    (request): LawCase => ({
      when: `pinned after a fork, for a device that ${request.access}s`,
      schedule: "sequential",
      executor: "model",
      kinds: "one",
      *program({ subject: { pageSize } }) {
        const own = yield* privateMemory(pageSize, [0xa]);
        const shared = yield* frameAt(own);
        const child = yield* user.fork(function* () {
          yield* user.sleep(1000);
          mustBe("the page of the child", yield* frameAt(own), shared);
          mustBe("what the child reads", yield* user.load(own), 0xa);
        });
        const held = yield* getPages(own, 1, request);
        const page = yield* frameAt(own);
        mustBe("what get_user_pages answers", held, [page]);
        must(page !== shared, "a page that a child shares is pinned");
        mustReach("a store of the parent", yield* user.store(own, 0xb));
        mustBe("the page that the parent stores to", yield* frameAt(own), page);
        yield* releasePages(held, request);
        if (typeof child !== "number") yield* user.join(child);
      },
    }),
  ),
  {
    when: "pinned before a fork, while another thread stores",
    schedule: "racy",
    executor: "model",
    kinds: "one",
    *program({ subject: { pageSize } }) {
      const own = yield* privateMemory(pageSize, [0xa]);
      const held = yield* getPages(own, 1, TO_WRITE);
      const other = yield* user.thread(function* () {
        mustReach("a store during the fork", yield* user.store(own, 0xb));
      }, "other");
      const child = yield* user.fork(function* () {
        const seen = yield* user.load(own);
        must(seen === 0xa || seen === 0xb, `the child reads ${String(seen)}, which nobody stored`);
        mustReach("a store of the child", yield* user.store(own, 0xc));
      });
      yield* user.join(other);
      mustBe("what the parent reads", yield* user.load(own), 0xb);
      mustBe("the page that the parent has", held, [yield* frameAt(own)]);
      yield* releasePages(held, TO_WRITE);
      if (typeof child !== "number") yield* user.join(child);
    },
  },
  {
    when: "pinned after a fork without memory for a page of its own",
    schedule: "sequential",
    executor: "model",
    kinds: "one",
    machine: { allocations: memory },
    *program({ subject: { pageSize } }) {
      const own = yield* privateMemory(pageSize, [0xa]);
      const shared = yield* frameAt(own);
      const child = yield* user.fork(function* () {
        yield* user.sleep(1000);
        mustBe("what the child reads", yield* user.load(own), 0xa);
      });
      yield* memory.untilEnough(
        "pinning",
        () => getPages(own, 1, TO_READ),
        function* (held) {
          yield* releasePages(held, TO_READ);
          if (typeof held !== "number") return false;
          mustFail("pinning without memory", held, ENOMEM);
          mustBe("the page that is mapped after that", yield* frameAt(own), shared);
          return true;
        },
      );
      mustBe("what the parent reads", yield* user.load(own), 0xa);
      if (typeof child !== "number") yield* user.join(child);
    },
  },
  {
    when: "pinned after a fork while another thread drops it",
    schedule: "racy",
    executor: "model",
    kinds: "one",
    *program({ subject: { pageSize } }) {
      const own = yield* privateMemory(pageSize, [0xa]);
      const child = yield* user.fork(function* () {
        mustBe("what the child reads", yield* user.load(own), 0xa);
      });
      const dropping = yield* user.thread(function* () {
        yield* user.madvise(own, pageSize, "dontneed");
      }, "dropping");
      const held = yield* getPages(own, 1, TO_READ);
      must(typeof held !== "number", `pinning answers ${String(held)}, and must succeed`);
      yield* user.join(dropping);
      const seen = yield* user.load(own);
      must(seen === 0xa || seen === 0, `the parent reads ${String(seen)} of a page that is dropped`);
      yield* releasePages(held, TO_READ);
      if (typeof child !== "number") yield* user.join(child);
    },
  },
];
