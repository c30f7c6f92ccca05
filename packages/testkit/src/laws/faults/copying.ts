import { isError, VM_READ, VM_WRITE } from "@nopage/core";
import { must, mustBe, mustReach, SIGSEGV_ACCERR, succeed } from "../../program/expect.ts";
import type { Actor, Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { LawCase } from "../law.ts";
import { areaAt, references } from "../support/accounts.ts";
import { bareFrames } from "../support/bare-frames.ts";
import { frameAt } from "../support/frame-at.ts";
import { ownDevice } from "../support/own-device.ts";
import { privateMemory } from "../support/private-memory.ts";
import { record } from "../support/recorder.ts";
import { endApart } from "../support/taking-away.ts";

/** A word of the page that the other thread does not store to. */
const OTHER_WORD = 8;

/** FR-14: which stores to private memory make a copy, and what becomes of one that is not needed in the end. */
export const copyingCases: readonly LawCase[] = [
  {
    when: "a page that nobody shares any more",
    schedule: "sequential",
    executor: "model",
    kinds: "one",
    *program({ subject: { pageSize } }) {
      const own = yield* privateMemory(pageSize, [1]);
      const page = yield* frameAt(own);
      yield* succeed("mprotect", user.mprotect(own, pageSize, VM_READ));
      mustBe("a store to what may be read alone", yield* user.store(own, 2), SIGSEGV_ACCERR);
      yield* succeed("mprotect back", user.mprotect(own, pageSize, VM_READ | VM_WRITE));
      mustReach("a store after mprotect there and back", yield* user.store(own, 2));
      mustBe("the page after mprotect there and back", yield* frameAt(own), page);
      yield* user.join(
        yield* forked(function* () {
          mustBe("what the child reads", yield* user.load(own), 2);
        }),
      );
      mustReach("a store once the child is gone", yield* user.store(own, 3));
      mustBe("the page once the child is gone", yield* frameAt(own), page);
    },
  },
  {
    when: "a page that a child shares",
    schedule: "sequential",
    executor: "model",
    kinds: "one",
    *program({ subject: { pageSize } }) {
      const own = yield* privateMemory(pageSize, [1]);
      const page = yield* frameAt(own);
      const child = yield* forked(function* () {
        yield* user.sleep(1000);
        mustBe("what the child reads after the parent's store", yield* user.load(own), 1);
        mustReach("the child's own store", yield* user.store(own, 3));
        mustBe("the page of the child, which has it alone,", yield* frameAt(own), page);
      });
      mustReach("a store of the parent", yield* user.store(own, 2));
      must((yield* frameAt(own)) !== page, "the parent's store reaches the page that a child shares");
      yield* user.join(child);
      mustBe("what the parent reads after the child's store", yield* user.load(own), 2);
    },
  },
  ...(["is unmapped", "shows another page"] as const).map(
    (what): LawCase => ({
      when: `a page that ${what} while it is copied`,
      schedule: "sequential",
      executor: "model",
      kinds: "one",
      *program({ subject: { pageSize } }) {
        const device = yield* ownDevice();
        const { address } = yield* device.mapped({ sharing: "private" });
        yield* user.load(address);
        yield* whileCopied(address, function* () {
          yield* succeed("MADV_DONTNEED", user.madvise(address, pageSize, "dontneed"));
          if (what === "shows another page") yield* user.load(address);
        });
        mustBe("the page after the store", yield* user.load(address), 77);
        const { rss, anonymous } = yield* areaAt(address);
        mustBe("rss and anonymous pages", [rss, anonymous], [1, 1]);
        mustBe("references to the driver's pages", device.extraReferences(), [0, 0, 0, 0]);
        yield* user.munmap(address, 4 * pageSize);
        yield* device.release();
      },
    }),
  ),
  {
    when: "a bare frame that is taken away while it is copied",
    schedule: "sequential",
    executor: "model",
    kinds: "one",
    *program({ subject: { pageSize } }) {
      const frames = yield* bareFrames(2);
      const address = yield* frames.map({ sharing: "private" });
      const before = yield* references();
      yield* whileCopied(
        address,
        function* () {
          yield* user.kernel(function* ({ kernel, thread }) {
            const area = thread.mm.areas.find(address);
            if (area === undefined) return;
            yield* kernel.mappings.zapVma(area, area.start, area.end);
          });
        },
        "SIGBUS BUS_ADRERR",
      );
      must(!(yield* user.pagemap(address, 2)).includes(true), "an entry is left behind");
      mustBe("references that are left", (yield* references()) - before, 0);
      yield* user.munmap(address, 2 * pageSize);
    },
  },
  {
    when: "two threads that store to a page that a child shares",
    schedule: "racy",
    kinds: "one",
    *program({ subject: { pageSize } }) {
      const own = yield* privateMemory(pageSize, [1]);
      const child = yield* forked(function* () {
        // It shares the page to the end, and looks once both have stored.
        yield* endApart();
        mustBe("what the child reads", yield* user.load(own), 1);
        mustBe("what it reads of the other word", yield* user.load(own + OTHER_WORD), 0);
      });
      const other = yield* user.thread(function* () {
        mustReach("a store of the other thread", yield* user.store(own + OTHER_WORD, 3));
      }, "other");
      mustReach("a store", yield* user.store(own, 2));
      yield* user.join(other);
      mustBe("the first word", yield* user.load(own), 2);
      mustBe("the other thread's word", yield* user.load(own + OTHER_WORD), 3);
      yield* user.join(child);
    },
  },
];

/**
 * A thread stores 77 to the first page of a mapping that this is the only one to follow; after it has announced to take the
 * old page away, and before it has, `meanwhile` happens.
 */
function* whileCopied(
  address: number,
  meanwhile: () => Steps<void>,
  expected: string | undefined = undefined,
): Steps<void> {
  const recorder = yield* record();
  recorder.hold("next");
  let seen: unknown = "nothing yet";
  const storer = yield* user.thread(function* () {
    seen = yield* user.store(address, 77);
  }, "storer");
  yield* recorder.whenHeld();
  yield* meanwhile();
  yield* recorder.letGo();
  yield* user.join(storer);
  mustBe("the store", seen, expected);
  yield* recorder.leave();
}

function* forked(body: () => Steps<void>): Steps<Actor> {
  const child = yield* user.fork(body);
  if (typeof child !== "number") return child;
  throw new Error(`fork answers ${isError(child) ? child : "no process"}`);
}
