import { EFAULT, VM_READ } from "@nopage/core";
import {
  LawBroken,
  must,
  mustBe,
  mustFail,
  mustReach,
  SIGSEGV_MAPERR,
  succeed,
} from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { Pinned, Pinner } from "../../subject/pinner.ts";
import type { LawCase, Stage, Trial } from "../law.ts";
import { privateMemory } from "../support/private-memory.ts";

/** What laws of pinning are tried on. */
export const pinningTrials: readonly Trial[] = ["pinning"];

/** The pinner of a stage, without which a law of pinning is excluded. */
export function pinnerOf({ pinner }: Stage): Pinner {
  if (pinner === undefined) throw new LawBroken("there is no pinner");
  return pinner;
}

/** Pins, which must succeed. */
export function* mustPin(
  pinner: Pinner,
  address: number,
  pages: number,
  access: "read" | "write" = "write",
): Steps<Pinned> {
  const pinned = yield* pinner.pin(address, pages, access);
  if (typeof pinned !== "number") return pinned;
  throw new LawBroken(`pin answers ${pinned}, and must succeed`);
}

/** GP-01. */
export const balanceCases: readonly LawCase[] = [
  {
    when: "two transfers of the same pages",
    schedule: "sequential",
    about: pinningTrials,
    *program(stage) {
      const pinner = pinnerOf(stage);
      const { pageSize } = stage.subject;
      const own = yield* privateMemory(pageSize, [1, 2]);
      const one = yield* mustPin(pinner, own, 2);
      const other = yield* mustPin(pinner, own, 2, "read");
      mustBe("pages held by two transfers", yield* pinner.held(), 4);
      yield* pinner.unpin(one);
      mustBe(
        "what the second transfer reads after the first has ended",
        yield* pinner.deviceRead(other, 1),
        2,
      );
      yield* pinner.unpin(other);
      mustBe("pages held at rest", yield* pinner.held(), 0);
    },
  },
  {
    when: "the device works on the process's memory",
    schedule: "sequential",
    about: pinningTrials,
    *program(stage) {
      const pinner = pinnerOf(stage);
      const { pageSize } = stage.subject;
      const own = yield* privateMemory(pageSize, [1, 2]);
      const pinned = yield* mustPin(pinner, own, 2);
      mustBe("what the device reads", yield* pinner.deviceRead(pinned, 1), 2);
      mustBe("a store of the device", yield* pinner.deviceWrite(pinned, 0, 7), 0);
      mustBe("what the process reads then", yield* user.load(own), 7);
      yield* user.store(own + pageSize, 8);
      mustBe("what the device reads of a later store", yield* pinner.deviceRead(pinned, 1), 8);
      yield* pinner.unpin(pinned);
    },
  },
  charge("charged", 2),
  charge("free of charge", 0),
];

function charge(when: string, pages: number): LawCase {
  return {
    when,
    schedule: "sequential",
    about: pinningTrials,
    excluded: (stage) =>
      pinnerOf(stage).supports.charged === pages > 0 ? undefined : `its pages are not ${when}`,
    *program(stage) {
      const pinner = pinnerOf(stage);
      const own = yield* privateMemory(stage.subject.pageSize, [1, 2]);
      const pinned = yield* mustPin(pinner, own, 2);
      mustBe("VmPin during a transfer of two pages", (yield* user.memoryStatus()).pinned, pages);
      yield* pinner.unpin(pinned);
      mustBe("VmPin after it", (yield* user.memoryStatus()).pinned, 0);
    },
  };
}

/** GP-02. */
export const unmapCases: readonly LawCase[] = [
  ...(["6.1", "2.4", "2.6.11"] as const).flatMap((reservedPages) => [
    unmapped(`rules of ${reservedPages}`, reservedPages, "pages"),
    unmapped(`rules of ${reservedPages}, a device that follows`, reservedPages, "nothing"),
  ]),
  ...(["6.1", "2.4", "2.6.11"] as const).map(
    (reservedPages): LawCase => ({
      when: `who does not survive it, rules of ${reservedPages}`,
      schedule: "sequential",
      about: pinningTrials,
      machine: { reservedPages },
      provokes: ["page-kind"],
      excluded: (stage) =>
        pinnerOf(stage).supports.survives.includes("munmap") ? "it survives munmap" : undefined,
      *program(stage) {
        const pinner = pinnerOf(stage);
        const own = yield* privateMemory(stage.subject.pageSize, [1]);
        const pinned = yield* mustPin(pinner, own, 1);
        mustBe("munmap", yield* user.munmap(own, stage.subject.pageSize), 0);
        yield* pinner.unpin(pinned);
      },
    }),
  ),
];

function unmapped(
  when: string,
  reservedPages: "6.1" | "2.4" | "2.6.11",
  holds: "pages" | "nothing",
): LawCase {
  return {
    when,
    schedule: "sequential",
    about: pinningTrials,
    machine: { reservedPages },
    excluded(stage) {
      const { supports } = pinnerOf(stage);
      if (!supports.survives.includes("munmap")) return "it does not survive munmap";
      return supports.holds === holds ? undefined : `what it holds is not ${holds}`;
    },
    *program(stage) {
      const pinner = pinnerOf(stage);
      const { pageSize } = stage.subject;
      const own = yield* privateMemory(pageSize, [1, 2]);
      const pinned = yield* mustPin(pinner, own, 2);
      const { pinned: charged } = yield* user.memoryStatus();
      mustBe("munmap of what a device holds", yield* user.munmap(own, 2 * pageSize), 0);
      mustBe("a load after munmap", yield* user.load(own), SIGSEGV_MAPERR);
      mustBe("VmPin after munmap", (yield* user.memoryStatus()).pinned, charged);
      if (holds === "nothing") {
        mustFail("a store of the device after munmap", yield* pinner.deviceWrite(pinned, 0, 7), EFAULT);
      }
      // Whatever is free now is somebody else's.
      const others = yield* privateMemory(pageSize, [0xb0, 0xb1, 0xb2]);
      if (holds === "pages") {
        mustBe("a store of the device after munmap", yield* pinner.deviceWrite(pinned, 0, 7), 0);
        mustBe("what the device reads then", yield* pinner.deviceRead(pinned, 0), 7);
        mustBe("what it reads of the page beside", yield* pinner.deviceRead(pinned, 1), 2);
      }
      for (let page = 0; page < 3; page++) {
        mustBe(`other memory, page ${page}`, yield* user.load(others + page * pageSize), 0xb0 + page);
      }
      yield* pinner.unpin(pinned);
    },
  };
}

/** GP-06. */
export const rightsCases: readonly LawCase[] = [
  {
    when: "a mapping without write permission",
    schedule: "sequential",
    about: pinningTrials,
    *program(stage) {
      const pinner = pinnerOf(stage);
      const { pageSize } = stage.subject;
      const own = yield* privateMemory(pageSize, [1]);
      yield* succeed("mprotect", user.mprotect(own, pageSize, VM_READ));
      const refused = yield* pinner.pin(own, 1, "write");
      mustFail(
        "pinning read-only memory for a device that writes",
        typeof refused === "number" ? refused : 0,
        EFAULT,
      );
      const pinned = yield* mustPin(pinner, own, 1, "read");
      mustBe("what a device that reads sees", yield* pinner.deviceRead(pinned, 0), 1);
      yield* pinner.unpin(pinned);
      mustBe("the memory afterwards", mustReach("a load", yield* user.load(own)), 1);
    },
  },
  {
    when: "a mapping that allows nothing, and none",
    schedule: "sequential",
    about: pinningTrials,
    *program(stage) {
      const pinner = pinnerOf(stage);
      const { pageSize } = stage.subject;
      const own = yield* privateMemory(pageSize, [1]);
      yield* succeed("mprotect", user.mprotect(own, pageSize, 0));
      for (const access of ["read", "write"] as const) {
        const refused = yield* pinner.pin(own, 1, access);
        must(typeof refused === "number", `PROT_NONE memory is pinned for a device that wants to ${access}`);
      }
      yield* user.munmap(own, pageSize);
      const refused = yield* pinner.pin(own, 1, "read");
      mustFail("pinning what is not mapped", typeof refused === "number" ? refused : 0, EFAULT);
    },
  },
];

/** GP-08. */
export const partialCases: readonly LawCase[] = [
  {
    when: "the last page cannot be had",
    schedule: "sequential",
    about: pinningTrials,
    *program(stage) {
      const pinner = pinnerOf(stage);
      const { pageSize } = stage.subject;
      const own = yield* privateMemory(pageSize, [1, 2, 3]);
      yield* user.munmap(own + 2 * pageSize, pageSize);
      const refused = yield* pinner.pin(own, 3, "write");
      mustFail("pinning with a page that is not mapped", typeof refused === "number" ? refused : 0, EFAULT);
      mustBe("pages held after the failure", yield* pinner.held(), 0);
      mustBe("VmPin after the failure", (yield* user.memoryStatus()).pinned, 0);
      const pinned = yield* mustPin(pinner, own, 2);
      mustBe("what can be had afterwards", yield* pinner.deviceRead(pinned, 1), 2);
      yield* pinner.unpin(pinned);
    },
  },
];
