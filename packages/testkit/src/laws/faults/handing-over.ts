import {
  type FaultOutcome,
  isGenerator,
  type Machine,
  owners,
  type Page,
  PG_anon,
  type Sleepable,
} from "@nopage/core";
import { mustBe, SIGBUS } from "../../program/expect.ts";
import { user } from "../../program/user.ts";
import type { LawCase } from "../law.ts";
import { SATURATED } from "../support/frame-at.ts";
import { ownDevice } from "../support/own-device.ts";

const WORD = 7;

/** What somebody does to a page between the look at it and the reference, and how it is made good. */
interface Meddling {
  readonly when: string;
  readonly meddle: (machine: Machine, page: Page) => void;
  readonly makeGood: (machine: Machine, page: Page) => void;
}

const meddlings: readonly Meddling[] = [
  {
    when: "its owner frees it",
    meddle: ({ memory }, page) => void memory.frames.put(page),
    makeGood: () => {},
  },
  {
    when: "its owner frees it, and it becomes a process's own",
    meddle({ memory }, page) {
      memory.frames.put(page);
      takeAgain(memory, page);
      memory.frames.setFlags(page, PG_anon);
    },
    makeGood({ memory }, page) {
      mustBe("references to the page that is somebody else's now", memory.frames.refcount[page], 1);
      memory.frames.clearFlags(page, PG_anon);
      memory.frames.put(page);
    },
  },
  {
    when: "all of its references are taken",
    meddle({ memory }, page) {
      memory.frames.refcount[page] = SATURATED;
    },
    makeGood({ memory }, page) {
      memory.frames.refcount[page] = 1;
      memory.frames.put(page);
    },
  },
];

/**
 * For FR-01: a page that is handed over may be free, or somebody else's, by the time that the reference is taken; then there
 * is none, and the page is not shown. With nobody in between it is shown.
 */
export const handingOver: readonly LawCase[] = meddlings.map(({ when, meddle, makeGood }) => ({
  when: `a page that is handed over while ${when}`,
  schedule: "racy",
  executor: "model",
  kinds: "one",
  *program() {
    let hasMeddled = false;
    const device = yield* ownDevice({
      ops: ({ machine, kernel }) => ({
        *nopage(): Sleepable<FaultOutcome> {
          const answer = kernel.pages.handOver(page);
          if (!isGenerator(answer)) return answer;
          for (let steps = 0; ; steps++) {
            const step = answer.next();
            if (step.done === true) return step.value;
            yield step.value;
            if (steps > 0 || hasMeddled) continue;
            hasMeddled = true;
            meddle(machine, page);
          }
        },
      }),
    });
    const { machine } = device;
    const page = machine.memory.pages.allocZeroedPage(owners.driver) as Page;
    machine.memory.kernel.store32(machine.memory.directMap.addressOf(page), WORD);
    const { address } = yield* device.mapped({ pages: 1 });
    // Only where there is somebody else do threads take turns, and the look and the reference become two steps.
    const other = yield* user.thread(function* () {
      yield* user.sleep(1000);
    });
    mustBe("a load", yield* user.load(address), hasMeddled ? SIGBUS : WORD);
    yield* user.join(other);
    yield* user.munmap(address, machine.geometry.pageSize);
    yield* user.kernel(function* () {
      if (hasMeddled) makeGood(machine, page);
      else machine.memory.frames.put(page);
    });
    yield* device.release();
  },
}));

/** Has the allocator hand out a page that was freed just now. */
function takeAgain({ pages, frames }: Machine["memory"], page: Page): void {
  const others: Page[] = [];
  for (;;) {
    const taken = pages.allocPage(owners.driver);
    if (taken === undefined) throw new Error("the law's machine is out of memory");
    if (taken === page) break;
    others.push(taken);
  }
  for (const other of others) frames.put(other);
}
