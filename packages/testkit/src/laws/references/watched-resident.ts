import { must, mustBe } from "../../program/expect.ts";
import { user } from "../../program/user.ts";
import type { LawCase } from "../law.ts";
import { areaAt } from "../support/accounts.ts";
import { mapAnywhere } from "../support/own-memory.ts";

/** RC-02: what smaps counts while another thread touches memory of which nothing was there. */
export const watchedResidentCase: LawCase = {
  when: "looked at while a page comes",
  schedule: "racy",
  kinds: "one",
  *program({ subject }) {
    const address = yield* mapAnywhere(subject, 2);
    const toucher = yield* user.thread(function* () {
      mustBe("a store", yield* user.store(address, 1), undefined);
    }, "toucher");
    const first = (yield* areaAt(address)).rss;
    const second = (yield* areaAt(address)).rss;
    yield* user.join(toucher);
    const last = (yield* areaAt(address)).rss;
    mustBe("Rss of the area in the end", last, 1);
    const rises = first <= second && second <= last;
    must(rises, `Rss of an area that a page comes to is ${first}, ${second} and ${last}, and must only rise`);
  },
};
