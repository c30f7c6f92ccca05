import { type MachineOptions, type Page, PG_reserved, VM_MIXEDMAP } from "@nopage/core";
import { must, mustBe, mustReach, SIGBUS } from "../program/expect.ts";
import type { Steps } from "../program/operation.ts";
import { user } from "../program/user.ts";
import type { LawCase } from "./law.ts";
import { forked } from "./support/forked.ts";
import { frameAt } from "./support/frame-at.ts";
import { getPages, type PageRequest, releasePages } from "./support/get-pages.ts";
import { type OwnDevice, ownDevice } from "./support/own-device.ts";
import { privateMemory } from "./support/private-memory.ts";

type Rules = NonNullable<MachineOptions["reservedPages"]>;
const legacy: readonly Rules[] = ["2.4", "2.6.11"];

/** A hold as drivers of 2.0 took it, that walked the page table and set the flag. */
const BY_FLAG: PageRequest = { access: "write", hold: "reserved-flag", permission: "checked" };

/** RS-02: what nobody has mapped and nobody answers for, touched by two threads at once. */
export const anonymousHoleCases: readonly LawCase[] = (["6.1", ...legacy] as const).map((rules) => ({
  when: `${rules}, a hole that two threads touch`,
  schedule: "racy",
  executor: "model",
  kinds: "one",
  machine: { reservedPages: rules },
  *program({ subject: { pageSize } }) {
    const device = yield* ownDevice({ faults: "not-answered" });
    const { address } = yield* device.mapped();
    const expected = rules === "6.1" ? SIGBUS : undefined;
    const other = yield* user.thread(function* () {
      mustBe("a store by the other", yield* user.store(address + 8, 3), expected);
    }, "other");
    mustBe("a store", yield* user.store(address, 2), expected);
    yield* user.join(other);
    for (const [at, value] of [
      [address, 2],
      [address + 8, 3],
    ] as const) {
      mustBe("what is there then", yield* user.load(at), expected ?? value);
    }
    yield* user.munmap(address, 4 * pageSize);
    yield* device.release();
  },
}));

/** RS-03: a fork copies the entry of a reserved page, and neither it nor any unmapping touches the count. */
export const reservedForkCases: readonly LawCase[] = legacy.map((rules) => ({
  when: `${rules}, a fork`,
  schedule: "sequential",
  executor: "model",
  kinds: "one",
  machine: { reservedPages: rules },
  *program() {
    const device = yield* insertingDevice();
    const { address } = yield* device.mapped({ pages: 2 });
    const before = device.extraReferences();
    const { pageSize } = device.machine.geometry;
    yield* forked(function* () {
      for (const page of [0, 1]) {
        mustBe(`page ${page} of the child`, yield* user.load(address + page * pageSize), device.markOf(page));
      }
      const [reserved, plain] = device.extraReferences();
      mustBe("the references of the reserved page while a child has it", reserved, before[0]);
      mustBe("those of the other", plain, (before[1] ?? 0) + 1);
    });
    mustBe("the references once the child is gone", device.extraReferences(), before);
    mustBe("the reserved page", yield* user.load(address), device.markOf(0));
    yield* user.munmap(address, 2 * pageSize);
    yield* leave(device);
  },
}));

/** RS-04: the flag as a hold goes with the last holder, and not at all where it was set before. */
export const reservedHoldCases: readonly LawCase[] = [
  ...legacy.map(
    (rules): LawCase => ({
      when: `${rules}, a hold by the flag of a page that was reserved before`,
      schedule: "sequential",
      executor: "model",
      kinds: "one",
      machine: { reservedPages: rules },
      *program() {
        const device = yield* insertingDevice();
        const { address } = yield* device.mapped({ pages: 2 });
        const before = device.extraReferences();
        const held = yield* getPages(address, 2, BY_FLAG);
        mustBe("the flags while they are held", flagsOf(device), [true, true]);
        yield* releasePages(held, BY_FLAG);
        mustBe("the flags afterwards", flagsOf(device), [true, false]);
        mustBe("references", device.extraReferences(), before);
        yield* user.munmap(address, 2 * device.machine.geometry.pageSize);
        yield* leave(device);
      },
    }),
  ),
  {
    when: "2.4, two threads that hold a page by the flag at once",
    schedule: "racy",
    executor: "model",
    kinds: "one",
    machine: { reservedPages: "2.4" },
    *program({ subject: { pageSize } }) {
      const own = yield* privateMemory(pageSize, [1]);
      const page = yield* frameAt(own);
      function* hold() {
        const held = yield* getPages(own, 1, BY_FLAG);
        must(yield* isReserved(page), "a page that is held by the flag does not have it");
        yield* releasePages(held, BY_FLAG);
      }
      const other = yield* user.thread(hold, "other");
      yield* hold();
      yield* user.join(other);
      must(!(yield* isReserved(page)), "a page that nobody holds by the flag has it");
      mustReach("a store", yield* user.store(own, 2));
      mustBe("where it is stored", yield* frameAt(own), page);
    },
  },
];

/** A device that inserts its pages when it is mapped, the first of which is reserved. */
function* insertingDevice(): Steps<OwnDevice> {
  const device = yield* ownDevice({
    *mmap(area, { kernel, machine, pages }) {
      area.flags |= VM_MIXEDMAP;
      for (let index = 0; index < area.pages; index++) {
        const at = area.start + index * machine.geometry.pageSize;
        const answer = yield* kernel.mappings.insertPage(area, at as typeof area.start, pages[index] as Page);
        if (answer !== 0) return answer;
      }
      return 0;
    },
  });
  const [first] = device.pages;
  if (first !== undefined) device.machine.memory.frames.setFlags(first, PG_reserved);
  return device;
}

/** Takes the device out, with the references that the flag has spared. */
function* leave(device: OwnDevice): Steps<void> {
  const { frames } = device.machine.memory;
  const [first] = device.pages;
  if (first !== undefined) {
    while ((frames.refcount[first] ?? 0) > 1) frames.put(first);
    frames.clearFlags(first, PG_reserved);
  }
  yield* device.release();
}

function flagsOf({ machine, pages }: OwnDevice): readonly boolean[] {
  return pages.slice(0, 2).map((page) => machine.memory.frames.hasFlags(page, PG_reserved));
}

function isReserved(page: Page): Steps<boolean> {
  return user.kernel(function* ({ machine }) {
    return machine.memory.frames.hasFlags(page, PG_reserved);
  });
}
