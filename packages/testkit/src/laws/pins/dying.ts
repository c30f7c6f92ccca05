import { EINTR, type Page } from "@nopage/core";
import { mustBe, mustFail } from "../../program/expect.ts";
import { user } from "../../program/user.ts";
import { countsNothing } from "../bare-frames/bare-frames.ts";
import type { LawCase } from "../law.ts";
import { gateOf, waitsAtNoGate } from "../support/gate-of.ts";
import { TO_READ } from "../support/get-pages.ts";
import { ownDevice } from "../support/own-device.ts";

/** GP-08: who is killed in the middle of get_user_pages is answered with what it has by then; EINTR when that is nothing. */
export const dyingCases: readonly LawCase[] = ([0, 1, 2] as const).map((pages) => ({
  when: `killed when it has ${pages} ${pages === 1 ? "page" : "pages"}`,
  schedule: "sequential",
  executor: "model",
  kinds: "one",
  *program() {
    let kill = () => {};
    let held: readonly Page[] | number = [];
    const device = yield* ownDevice({
      ops: ({ kernel, pages: own }) => ({
        nopage({ pgoff }) {
          if (pgoff === pages) kill();
          const page = own[pgoff];
          if (page === undefined) throw new Error(`page ${pgoff} is asked for`);
          return kernel.pages.handOver(page);
        },
      }),
    });
    const pinner = yield* user.process(function* () {
      const { address } = yield* device.mapped();
      yield* user.kernel(function* ({ thread, kernel }) {
        kill = () => thread.process.kill("SIGKILL");
        held = yield* kernel.user.getPages(thread.mm, address as never, 3, TO_READ);
        for (const page of typeof held === "number" ? [] : held) {
          yield* kernel.user.releasePage(thread.mm, page, "pin", "clean");
        }
      });
    }, "pinner");
    mustBe("the end of who pins", yield* user.join(pinner), { signal: "SIGKILL" });
    mustBe("what get_user_pages answers", held, pages === 0 ? -EINTR : device.pages.slice(0, pages));
    mustBe("references that are left", device.extraReferences(), [0, 0, 0, 0]);
    yield* device.release();
  },
}));

/** FR-10: a wait at a gate ends for who is killed. */
export const killedAtGateCase: LawCase = {
  when: "killed while it waits",
  schedule: "sequential",
  executor: "model",
  excluded: (stage) => waitsAtNoGate(stage) ?? countsNothing(stage),
  *program({ subject }) {
    let answer: unknown = "nothing yet";
    yield* gateOf(subject).close();
    const pinner = yield* user.process(function* () {
      const address = yield* subject.map();
      yield* user.kernel(function* ({ thread, kernel }) {
        answer = yield* kernel.user.getPages(thread.mm, address as never, 1, TO_READ);
      });
    }, "pinner");
    yield* user.settle();
    mustBe("get_user_pages of what is taken away", answer, "nothing yet");
    yield* user.kill(pinner, "SIGKILL");
    yield* user.join(pinner);
    mustFail("get_user_pages of who is killed", Number(answer), EINTR);
    yield* gateOf(subject).open();
  },
};
