import { EAGAIN, EFAULT, ENOMEM, migratePage, VM_READ, VM_WRITE } from "@nopage/core";
import { must, mustBe, mustFail, mustReach, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { AnyLaw } from "../law.ts";
import { residentPages } from "../support/accounts.ts";
import { bareFrames } from "../support/bare-frames.ts";
import { frameAt } from "../support/frame-at.ts";
import { getPages, type PageRequest, releasePages } from "../support/get-pages.ts";
import { hasNoLeaf, LEAF_ADDRESS, leafOf } from "../support/large-leaves.ts";
import { ownDevice } from "../support/own-device.ts";
import { privateMemory } from "../support/private-memory.ts";
import { ShortMemory } from "../support/short-memory.ts";

const memory = new ShortMemory();

/** What the kernel may do with the frames of private memory. */
export const movingPagesLaw: AnyLaw = {
  id: "GP-14",
  level: "model-only",
  owner: ["core"],
  rule: "a page that anybody else holds or maps MUST stay in its frame; any other private page may be moved to another, and MUST keep what was stored, before and meanwhile, its rights and its place in rss",
  source:
    "mm/migrate.c folio_migrate_mapping, remove_migration_pte, add_page_for_migration (without MPOL_MF_MOVE_ALL; compaction also moves what several processes map); Documentation/mm/page_migration.rst",
  cases: [
    {
      when: "nobody holds it",
      schedule: "sequential",
      kinds: "one",
      *program({ subject: { pageSize } }) {
        const own = yield* privateMemory(pageSize, [1, 2]);
        const page = yield* frameAt(own);
        const before = yield* residentPages();
        mustBe("migration of a page", yield* migrate(own + 12), 0);
        must((yield* frameAt(own)) !== page, "a page that was moved is where it was");
        mustBe("what it holds then", yield* user.load(own), 1);
        mustReach("a store", yield* user.store(own, 3));
        mustBe("what it holds after a store", yield* user.load(own), 3);
        mustBe("what its neighbour holds", yield* user.load(own + pageSize), 2);
        mustBe("what it adds to VmRSS, in pages", (yield* residentPages()) - before, 0);
      },
    },
    ...(["reference", "pin"] as const).map((hold) => ({
      when: `somebody holds it by ${hold}`,
      schedule: "sequential" as const,
      kinds: "one" as const,
      *program({ subject: { pageSize } }: { readonly subject: { readonly pageSize: number } }): Steps<void> {
        const own = yield* privateMemory(pageSize, [1]);
        const page = yield* frameAt(own);
        const request: PageRequest = { access: "write", hold, permission: "checked" };
        const held = yield* getPages(own, 1, request);
        mustFail("migration of a page that is held", yield* migrate(own), EAGAIN);
        mustBe("where it is", yield* frameAt(own), page);
        mustReach("a store", yield* user.store(own, 2));
        yield* releasePages(held, request);
        mustBe("migration once nobody holds it", yield* migrate(own), 0);
        mustBe("what it holds", yield* user.load(own), 2);
      },
    })),
    {
      when: "a child shares it",
      schedule: "sequential",
      kinds: "one",
      *program({ subject: { pageSize } }) {
        const own = yield* privateMemory(pageSize, [1]);
        const page = yield* frameAt(own);
        const child = yield* user.fork(function* () {
          yield* user.sleep(1000);
          mustBe("what the child reads", yield* user.load(own), 1);
        });
        mustFail("migration of a page that a child shares", yield* migrate(own), EAGAIN);
        mustBe("where it is", yield* frameAt(own), page);
        if (typeof child !== "number") yield* user.join(child);
      },
    },
    {
      when: "there is no private page",
      schedule: "sequential",
      kinds: "one",
      *program({ subject: { pageSize } }) {
        const request = { length: pageSize, protection: VM_READ | VM_WRITE, sharing: "private" } as const;
        const untouched = yield* succeed("mmap", user.mmap(request));
        mustFail("migration where nothing is mapped", yield* migrate(untouched + 64 * pageSize), EFAULT);
        mustFail("migration of an untouched page", yield* migrate(untouched), EFAULT);
        yield* user.load(untouched);
        mustFail("migration of the page of zeros", yield* migrate(untouched), EFAULT);
        const device = yield* ownDevice();
        const { address } = yield* device.mapped();
        yield* user.load(address);
        mustFail("migration of a driver's page", yield* migrate(address), EFAULT);
        mustBe("the driver's page", yield* frameAt(address), device.pages[0]);
        mustBe("what it shows", yield* user.load(address), device.markOf(0));
        yield* user.munmap(address, 4 * pageSize);
        yield* device.release();
      },
    },
    {
      when: "there are many pages behind one entry",
      schedule: "sequential",
      kinds: "one",
      excluded: hasNoLeaf,
      *program(stage) {
        const frames = yield* bareFrames(leafOf(stage), "large");
        const address = yield* frames.map({ fixedAt: LEAF_ADDRESS });
        mustFail("migration of a page of a large leaf", yield* migrate(address), EFAULT);
        mustBe("what it shows", yield* user.load(address), frames.markOf(0));
      },
    },
    {
      when: "there is no memory to move it to",
      schedule: "sequential",
      kinds: "one",
      machine: { allocations: memory },
      *program({ subject: { pageSize } }) {
        const own = yield* privateMemory(pageSize, [1]);
        const page = yield* frameAt(own);
        yield* memory.untilEnough(
          "migration",
          () => migrate(own),
          function* (answer) {
            if (answer === 0) return false;
            mustFail("migration without memory", answer, ENOMEM);
            mustBe("where the page is after that", yield* frameAt(own), page);
            return true;
          },
        );
        mustBe("what it holds", yield* user.load(own), 1);
      },
    },
    {
      when: "another thread stores meanwhile",
      schedule: "racy",
      kinds: "one",
      *program({ subject: { pageSize } }) {
        const own = yield* privateMemory(pageSize, [1]);
        const other = yield* user.thread(function* () {
          mustReach("a store of the other thread", yield* user.store(own, 2));
        }, "other");
        mustBe("migration", yield* migrate(own), 0);
        yield* user.join(other);
        mustBe("what the page holds", yield* user.load(own), 2);
      },
    },
  ],
};

function migrate(address: number): Steps<number> {
  return user.kernel(({ thread }) => migratePage(thread.mm, address));
}
