import type { UserAddress } from "@nopage/core";
import { LawBroken, mustBe } from "../../program/expect.ts";
import type { Actor, Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { Pinner, PinnerSupports } from "../../subject/pinner.ts";
import type { LawCase } from "../law.ts";
import { privateMemory } from "../support/private-memory.ts";
import { mustPin, pinnerOf, pinningTrials } from "./holding.ts";

/** The kernels whose rules for reserved pages a policy makes promises for. */
const everyRules = ["6.1", "2.4", "2.6.11"] as const;

/** GP-03. */
export const deathCases: readonly LawCase[] = [
  ...everyRules.map(
    (reservedPages): LawCase => ({
      when: `killed in the middle of a transfer, rules of ${reservedPages}`,
      schedule: "sequential",
      about: pinningTrials,
      machine: { reservedPages },
      excluded: (stage) =>
        pinnerOf(stage).supports.survives.includes("exit") ? undefined : "it does not survive exit",
      *program(stage) {
        const pinner = pinnerOf(stage);
        yield* dieInTransfer(pinner, stage.subject.pageSize, "SIGKILL");
        mustBe("pages held for a process that is gone", yield* pinner.held(), 0);
        yield* pinner.endService();
      },
    }),
  ),
  ...everyRules.map(
    (reservedPages): LawCase => ({
      when: `killed in the middle of a transfer, and it does not survive that, rules of ${reservedPages}`,
      schedule: "sequential",
      about: pinningTrials,
      machine: { reservedPages },
      provokes: ["page-kind"],
      excluded: (stage) =>
        pinnerOf(stage).supports.survives.includes("exit") ? "it survives exit" : undefined,
      *program(stage) {
        yield* dieInTransfer(pinnerOf(stage), stage.subject.pageSize, "SIGKILL");
      },
    }),
  ),
  {
    when: "nothing is promised of a process that dies",
    schedule: "sequential",
    about: pinningTrials,
    provokes: ["page-kind"],
    excluded: (stage) =>
      pinnerOf(stage).supports.onDeath === "unsafe" ? undefined : "it says what becomes of the pages",
    *program(stage) {
      yield* dieInTransfer(pinnerOf(stage), stage.subject.pageSize, "itself");
    },
  },
  onDeath("kept-until-unpin", { stops: 0, quarantined: 0 }),
  onDeath("quarantined", { stops: 0, quarantined: 2 }),
  onDeath("device-stopped-first", { stops: 1, quarantined: 0 }),
];

/** What becomes of two pages that a process holds when it ends, and what the driver is told. */
function onDeath(
  claim: PinnerSupports["onDeath"],
  { stops, quarantined }: { readonly stops: number; readonly quarantined: number },
): LawCase {
  return {
    when: claim,
    schedule: "sequential",
    about: pinningTrials,
    excluded: (stage) =>
      pinnerOf(stage).supports.onDeath === claim ? undefined : `its pages are not ${claim}`,
    *program(stage) {
      const pinner = pinnerOf(stage);
      yield* dieInTransfer(pinner, stage.subject.pageSize, "itself");
      mustBe("how often the device is told to stop", yield* pinner.stops(), stops);
      mustBe("pages in quarantine", yield* pinner.quarantined(), quarantined);
      yield* pinner.endService();
      mustBe("pages in quarantine after the device's service", yield* pinner.quarantined(), 0);
    },
  };
}

/** A process pins two pages and dies, with the device at work on them until its file is released. */
function* dieInTransfer(pinner: Pinner, pageSize: number, how: "itself" | "SIGKILL"): Steps<void> {
  const child = yield* user.process(function* () {
    const own = yield* privateMemory(pageSize, [1, 2]);
    yield* mustPin(pinner, own, 2);
    if (how === "SIGKILL") yield* user.sleep(1_000_000_000_000);
  });
  if (how === "SIGKILL") {
    yield* user.settle();
    yield* user.kill(child, "SIGKILL");
  }
  yield* user.join(child);
  // Whatever is free now is somebody else's.
  yield* privateMemory(pageSize, [3, 4]);
}

/** GP-04. */
export const forkCases: readonly LawCase[] = [
  afterFork("the device sees the parent's later stores", "coherent"),
  ...everyRules.map(
    (reservedPages): LawCase => ({
      when: `the device does not reach the child's memory, rules of ${reservedPages}`,
      schedule: "sequential",
      about: pinningTrials,
      machine: { reservedPages },
      excluded: (stage) =>
        pinnerOf(stage).supports.survives.includes("fork") ? undefined : "it does not survive fork",
      *program(stage) {
        yield* writeAfterFork(pinnerOf(stage), stage.subject.pageSize, "checked");
      },
    }),
  ),
  ...everyRules.map(
    (reservedPages): LawCase => ({
      when: `the device reaches the child's memory, rules of ${reservedPages}`,
      schedule: "sequential",
      about: pinningTrials,
      machine: { reservedPages },
      provokes: ["dma-into-shared"],
      excluded: (stage) =>
        pinnerOf(stage).supports.survives.includes("fork") ? "it survives fork" : undefined,
      *program(stage) {
        yield* writeAfterFork(pinnerOf(stage), stage.subject.pageSize, "provoked");
      },
    }),
  ),
];

/** GP-05. */
export const incoherentCase: LawCase = afterFork("the device loses the parent's later stores", "lost");

/** The parent stores after a fork to what the device has. */
function afterFork(when: string, expected: "coherent" | "lost"): LawCase {
  return {
    when,
    schedule: "sequential",
    about: pinningTrials,
    excluded(stage) {
      const { coherentAfterFork: isCoherent, survives } = pinnerOf(stage).supports;
      if (expected === "lost" && !survives.includes("exit")) return "the child's end takes the page away";
      return isCoherent === (expected === "coherent")
        ? undefined
        : `the device ${isCoherent ? "stays" : "does not stay"} with the parent`;
    },
    *program(stage) {
      const pinner = pinnerOf(stage);
      const own = yield* privateMemory(stage.subject.pageSize, [0xa]);
      const pinned = yield* mustPin(pinner, own, 1);
      const child = yield* forked(function* () {
        yield* user.sleep(1000);
        mustBe("what the child reads", yield* user.load(own), 0xa);
      });
      yield* user.store(own, 0xb);
      const seen = yield* pinner.deviceRead(pinned, 0);
      mustBe("what the device reads after the parent's store", seen, expected === "coherent" ? 0xb : 0xa);
      yield* user.join(child);
      yield* pinner.unpin(pinned);
    },
  };
}

/** The device stores after a fork, while the child is there. */
function* writeAfterFork(pinner: Pinner, pageSize: number, check: "checked" | "provoked"): Steps<void> {
  const own = yield* privateMemory(pageSize, [0xa]);
  const pinned = yield* mustPin(pinner, own, 1);
  const child = yield* forked(function* () {
    yield* user.sleep(1000);
    const seen = yield* user.load(own);
    if (check === "checked") mustBe("what the child reads after the device's store", seen, 0xa);
  });
  yield* pinner.deviceWrite(pinned, 0, 0xd);
  if (check === "checked") mustBe("what the parent reads of the device's store", yield* user.load(own), 0xd);
  yield* user.join(child);
  yield* pinner.unpin(pinned);
}

function* forked(body: () => Steps<void>): Steps<Actor> {
  const child = yield* user.fork(body);
  if (typeof child === "number") throw new Error(`fork answers ${child}`);
  return child;
}

/**
 * GP-11: a pin and a fork at the same time, in either order. The pin is the core's own, without a device, whose files a fork
 * would copy.
 */
export const pinAndForkCase: LawCase = {
  when: "",
  schedule: "racy",
  about: pinningTrials,
  *program({ subject: { pageSize } }) {
    const own = yield* privateMemory(pageSize, [0xa]);
    const forking = yield* user.thread(function* () {
      const child = yield* forked(function* () {});
      yield* user.join(child);
    });
    const [page] = yield* user.kernel(function* ({ kernel, thread }) {
      const request = { access: "write", hold: "pin", permission: "checked" } as const;
      const held = yield* kernel.user.getPages(thread.mm, own as UserAddress, 1, request);
      return typeof held === "number" ? [] : held;
    });
    if (page === undefined) throw new LawBroken("the page cannot be pinned during a fork");
    yield* user.store(own, 0xb);
    const shown = yield* user.kernel(function* ({ kernel, thread }) {
      const frame = Math.floor(thread.mm.table.entryOf(own / pageSize) / 4096);
      yield* kernel.user.releasePage(thread.mm, page, "pin", "clean");
      return frame;
    });
    mustBe("the page that the parent has after its store", shown, page);
    yield* user.join(forking);
  },
};
