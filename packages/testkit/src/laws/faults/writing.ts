import { installed } from "@nopage/core";
import { mustBe, mustReach, SIGBUS } from "../../program/expect.ts";
import { user } from "../../program/user.ts";
import type { LawCase } from "../law.ts";
import { mustHaveGrown, residentPages } from "../support/accounts.ts";
import { ownDevice } from "../support/own-device.ts";

/** A word of the page that the other thread does not store to. */
const OTHER_WORD = 8;

/** FR-15: a driver that is asked before a page becomes writable, and what may happen meanwhile. */
export const writingCases: readonly LawCase[] = [
  {
    when: "a driver that takes the page away while it is asked",
    schedule: "sequential",
    executor: "model",
    kinds: "one",
    *program({ subject: { pageSize } }) {
      let asked = 0;
      const device = yield* ownDevice({
        ops: ({ kernel }) => ({
          *mkwrite({ area, pgoff }) {
            const { mapping } = area;
            if (asked++ === 0 && mapping !== undefined) {
              yield* kernel.mappings.unmapMappingRange(mapping, pgoff, 1, "even-cows");
            }
            return installed;
          },
        }),
      });
      const { address } = yield* device.mapped();
      yield* user.load(address);
      const questions = device.asked.length;
      const before = yield* residentPages();
      mustReach("a store", yield* user.store(address, 77));
      mustBe("questions for the page that went", device.asked.length - questions, 1);
      mustBe("questions whether it may be written", asked, 2);
      mustBe("the page", yield* user.load(address), 77);
      yield* mustHaveGrown("a store", before, 0);
      yield* user.munmap(address, 4 * pageSize);
      yield* device.release();
    },
  },
  {
    when: "a driver that fails in the middle of the answer",
    schedule: "sequential",
    executor: "model",
    kinds: "one",
    provokes: "contract",
    *program() {
      const device = yield* ownDevice({
        ops: () => ({
          mkwrite() {
            throw new Error("the device does not answer");
          },
        }),
      });
      const { address } = yield* device.mapped();
      mustBe("a load", yield* user.load(address), device.markOf(0));
      mustBe("the store that nobody answers", yield* user.store(address, 77), SIGBUS);
      mustBe("a load afterwards", yield* user.load(address), device.markOf(0));
      yield* device.release();
    },
  },
  {
    when: "two threads that store to a page that was loaded from",
    schedule: "racy",
    executor: "model",
    kinds: "one",
    *program({ subject: { pageSize } }) {
      const device = yield* ownDevice({ ops: () => ({ mkwrite: () => installed }) });
      const { address } = yield* device.mapped({ pages: 1 });
      yield* user.load(address);
      const other = yield* user.thread(function* () {
        mustReach("a store of the other thread", yield* user.store(address + OTHER_WORD, 3));
      }, "other");
      mustReach("a store", yield* user.store(address, 2));
      yield* user.join(other);
      mustBe("the first word", yield* user.load(address), 2);
      mustBe("the other thread's word", yield* user.load(address + OTHER_WORD), 3);
      yield* user.munmap(address, pageSize);
      yield* device.release();
    },
  },
];
