import { owners, type Page, type UserAddress, VM_READ, VM_WRITE } from "@nopage/core";
import { must, mustBe, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { LawCase } from "../law.ts";
import { bareFrames } from "../support/bare-frames.ts";
import { ownDevice } from "../support/own-device.ts";
import { ShortMemory } from "../support/short-memory.ts";

/** A page that has yet to be made, of one kind. */
interface Missing {
  readonly when: string;
  readonly access: "load" | "store";
  /** Maps two pages at an address, of which the first is touched. */
  map(pageSize: number, fixedAt: number): Steps<Mapped>;
}

interface Mapped {
  /** What the page shows as long as nobody has stored there. */
  readonly value: number;
  /** Whether it has an entry before it is touched. */
  readonly entry: "there" | "missing";
  /** Nobody may have kept anything of a fault that failed. */
  mustHoldNothing?(what: string): void;
  release?(): Steps<void>;
}

/** Places that have no page table yet, on every geometry. */
const PLACES = [0x4000_0000, 0x6000_0000] as const;

const memory = new ShortMemory();

const missing: readonly Missing[] = [
  { when: "a load of private memory", access: "load", map: mapAnonymous },
  { when: "a store to private memory", access: "store", map: mapAnonymous },
  {
    when: "a load from a driver's page",
    access: "load",
    map: (_pageSize, fixedAt) => mapPages(fixedAt, "shared", "untouched"),
  },
  {
    when: "a store to a private mapping of a driver's page",
    access: "store",
    map: (_pageSize, fixedAt) => mapPages(fixedAt, "private", "untouched"),
  },
  {
    when: "a store to a private mapping of a driver's page that was loaded from",
    access: "store",
    map: (_pageSize, fixedAt) => mapPages(fixedAt, "private", "touched"),
  },
  {
    when: "a store to a private mapping of bare frames",
    access: "store",
    *map(_pageSize, fixedAt) {
      const frames = yield* bareFrames(2);
      yield* frames.map({ fixedAt, sharing: "private" });
      return { value: frames.markOf(0), entry: "there" };
    },
  },
];

/** FR-03, for each allocation of each kind of fault: nothing half done, an error for the kernel, patience for user space. */
export const shortageCases: readonly LawCase[] = missing.flatMap(({ when, access, map }): LawCase[] => [
  {
    when: `${when}, by the kernel`,
    schedule: "sequential",
    executor: "model",
    kinds: "one",
    machine: { allocations: memory },
    *program({ subject: { pageSize } }) {
      const [address] = PLACES;
      const { value, entry, mustHoldNothing, release } = yield* map(pageSize, address);
      yield* memory.untilEnough(
        when,
        () => touchFromKernel(address, access),
        function* (left) {
          if (left === 0) return false;
          mustBe(`what the kernel's ${access} leaves out without memory, in bytes`, left, 4);
          if (entry === "missing") {
            must(
              !(yield* user.pagemap(address, 1)).includes(true),
              `${when} that failed leaves an entry behind`,
            );
            mustHoldNothing?.(`${when} that failed`);
          } else mustBe(`the page after ${when} that failed`, yield* user.load(address), value);
          return true;
        },
      );
      mustBe("the page in the end", yield* user.load(address), access === "store" ? STORED : value);
      yield* user.munmap(address, 2 * pageSize);
      yield* release?.() ?? nothing();
    },
  },
  {
    when: `${when}, by user space`,
    schedule: "sequential",
    executor: "model",
    kinds: "one",
    machine: { allocations: memory },
    *program({ subject: { pageSize } }) {
      const [, address] = PLACES;
      const { value, release } = yield* map(pageSize, address);
      let seen: unknown = "nothing yet";
      const toucher = yield* user.thread(function* () {
        memory.left = 0;
        seen = access === "load" ? yield* user.load(address) : yield* user.store(address, STORED);
      }, "toucher");
      yield* user.sleep(10_000_000);
      mustBe(`${when} while there is no memory`, seen, "nothing yet");
      must((yield* user.stateOf(toucher)) !== "ended", `${when} without memory ends its thread`);
      memory.refill();
      yield* user.join(toucher);
      mustBe(`${when} once there is memory`, seen, access === "load" ? value : undefined);
      mustBe("the page in the end", yield* user.load(address), access === "store" ? STORED : value);
      yield* user.munmap(address, 2 * pageSize);
      yield* release?.() ?? nothing();
    },
  },
]);

/** FR-03, with memory that has really run out, and comes back while somebody waits for it. */
export const exhaustedCase: LawCase = {
  when: "a store while another thread has all the memory, and gives it back",
  schedule: "racy",
  executor: "model",
  kinds: "one",
  machine: { allocations: memory },
  *program({ subject: { pageSize } }) {
    const request = { length: pageSize, protection: VM_READ | VM_WRITE, sharing: "private" } as const;
    const address = yield* succeed("mmap of private memory", user.mmap(request));
    const storer = yield* user.thread(function* () {
      mustBe("a store", yield* user.store(address, STORED), undefined);
    }, "storer");
    const taken = yield* user.kernel(function* ({ machine: { memory } }) {
      const pages: Page[] = [];
      for (;;) {
        const page = memory.pages.allocPage(owners.kernel);
        if (page === undefined) return pages;
        pages.push(page);
      }
    });
    yield* user.kernel(function* ({ kernel }) {
      for (const page of taken) yield* kernel.pages.put(page);
    });
    yield* user.join(storer);
    mustBe("the page", yield* user.load(address), STORED);
  },
};

const STORED = 0x77;

function* mapAnonymous(pageSize: number, fixedAt: number): Steps<Mapped> {
  const request = { length: 2 * pageSize, protection: VM_READ | VM_WRITE, sharing: "private" } as const;
  yield* succeed("mmap", user.mmap({ ...request, address: fixedAt, placement: "fixed" }));
  return { value: 0, entry: "missing" };
}

function* mapPages(
  fixedAt: number,
  sharing: "shared" | "private",
  state: "touched" | "untouched",
): Steps<Mapped> {
  const device = yield* ownDevice();
  const { address } = yield* device.mapped({ pages: 2, sharing, fixedAt });
  if (state === "touched") yield* user.load(address);
  return {
    value: device.markOf(0),
    entry: state === "touched" ? "there" : "missing",
    mustHoldNothing: (what) => mustBe(`references after ${what}`, device.extraReferences(), [0, 0, 0, 0]),
    release: () => device.release(),
  };
}

/** `copy_to_user` or `copy_from_user` of a word: the bytes that were not copied. */
function* touchFromKernel(address: number, access: "load" | "store"): Steps<number> {
  return yield* user.kernel(function* ({ kernel }) {
    if (access === "load") return yield* kernel.user.copyFrom(address as UserAddress, new Uint8Array(4));
    return yield* kernel.user.copyTo(address as UserAddress, Uint8Array.of(STORED, 0, 0, 0));
  });
}

function* nothing(): Steps<void> {}
