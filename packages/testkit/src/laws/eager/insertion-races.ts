import {
  EBUSY,
  ENOMEM,
  installed,
  isError,
  owners,
  type Page,
  type Sleepable,
  sigbus,
  type UserAddress,
  VM_MIXEDMAP,
  VM_PFNMAP,
} from "@nopage/core";
import { claimMarkedWindow } from "../../marked-window.ts";
import { must, mustBe, mustFail, succeed } from "../../program/expect.ts";
import { user } from "../../program/user.ts";
import type { LawCase } from "../law.ts";
import { hasNoLeaf, LEAF_ADDRESS, leafOf, levelAt } from "../support/large-leaves.ts";
import { ownDevice } from "../support/own-device.ts";
import { mapPlanted, plantDevice, setOps } from "../support/planted-device.ts";
import { ShortMemory } from "../support/short-memory.ts";

/** A place that has no page table yet, on every geometry. */
const EMPTY_PLACE = 0x4000_0000;

const memory = new ShortMemory();

/** RE-08: two threads whose handler inserts the page by itself. */
export const insertingHandlersCase: LawCase = {
  when: "a handler that inserts, for two threads",
  schedule: "racy",
  executor: "model",
  kinds: "one",
  *program({ subject: { pageSize } }) {
    const device = yield* ownDevice({
      mmap: (area) => {
        area.flags |= VM_MIXEDMAP;
        return 0;
      },
      ops: ({ kernel, pages: [first] }) => ({
        *nopage({ area, address }): Sleepable<typeof installed | typeof sigbus> {
          const answer = yield* kernel.mappings.insertPage(area, address, first ?? (0 as Page));
          return answer === 0 || answer === -EBUSY ? installed : sigbus;
        },
      }),
    });
    const { address } = yield* device.mapped({ pages: 1 });
    const other = yield* user.thread(function* () {
      mustBe("a load by the other", yield* user.load(address), device.markOf(0));
    }, "other");
    mustBe("a load", yield* user.load(address), device.markOf(0));
    yield* user.join(other);
    mustBe("references beside the driver's own", device.extraReferences(), [1, 0, 0, 0]);
    yield* user.munmap(address, pageSize);
    yield* device.release();
  },
};

/** RE-09: what else stands in the way of an insertion. */
export const hinderedInsertionCases: readonly LawCase[] = [
  {
    when: "without memory for a table",
    schedule: "sequential",
    executor: "model",
    kinds: "one",
    machine: { allocations: memory },
    *program({ subject: { pageSize } }) {
      const device = yield* ownDevice({
        mmap: (area) => {
          area.flags |= VM_MIXEDMAP;
          return 0;
        },
      });
      const { address } = yield* device.mapped({ pages: 1, fixedAt: EMPTY_PLACE });
      const insert = () =>
        user.kernel(function* ({ kernel, thread: { mm } }) {
          yield* mm.lock.read();
          const area = mm.areas.find(address);
          const [page] = device.pages;
          if (area === undefined || page === undefined) throw new Error("nothing is mapped");
          const answer = yield* kernel.mappings.insertPage(area, address as UserAddress, page);
          mm.lock.unlockRead();
          return answer;
        });
      yield* memory.untilEnough("insertPage", insert, function* (answer) {
        if (!isError(answer)) return false;
        mustFail("insertPage without memory", answer, ENOMEM);
        mustBe("references beside the driver's own", device.extraReferences(), [0, 0, 0, 0]);
        return true;
      });
      mustBe("references beside the driver's own", device.extraReferences(), [1, 0, 0, 0]);
      mustBe("the page", yield* user.load(address), device.markOf(0));
      yield* user.munmap(address, pageSize);
      yield* device.release();
    },
  },
  {
    when: "where a large leaf is",
    schedule: "sequential",
    executor: "model",
    kinds: "one",
    excluded: hasNoLeaf,
    *program(stage) {
      const pages = leafOf(stage);
      const { pageSize, markOf } = stage.subject;
      const answers: (number | string)[] = [];
      const device = yield* plantDevice("/dev/law", pages, ({ kernel, machine }, own) => ({
        *mmap(_file, area) {
          const spare = claimMarkedWindow(machine, 1).range.startPfn;
          const page = machine.memory.pages.allocPage(owners.driver);
          if (page === undefined) return -ENOMEM;
          const request = { address: area.start, pfn: own.frame(0), pages, leaves: "large" } as const;
          answers.push(yield* kernel.mappings.remapPfnRange(area, request));
          const at = (area.start + pageSize) as UserAddress;
          answers.push((yield* kernel.mappings.insertPfn(area, at, spare)).kind);
          area.flags |= VM_MIXEDMAP;
          answers.push(yield* kernel.mappings.insertPage(area, at, page));
          area.flags &= ~VM_MIXEDMAP;
          yield* machine.putPage(page);
          return setOps(area, {});
        },
      }));
      const address = yield* succeed("mmap", mapPlanted(device, pages * pageSize, { fixedAt: LEAF_ADDRESS }));
      mustBe("the level of the entries", yield* levelAt(address), 1);
      mustBe("the answers of remapPfnRange, insertPfn and insertPage", answers, [0, "installed", -EBUSY]);
      for (const page of [0, 1, pages - 1]) {
        mustBe(`page ${page}`, yield* user.load(address + page * pageSize), markOf(page));
      }
    },
  },
];

/** PF-03: two threads whose handler inserts a bare frame by itself. */
export const insertingFramesCase: LawCase = {
  when: "a handler that inserts, for two threads",
  schedule: "racy",
  executor: "model",
  kinds: "one",
  *program({ subject: { pageSize, markOf } }) {
    let asked = 0;
    const device = yield* plantDevice("/dev/law", 2, ({ kernel }, own) => ({
      *mmap(_file, area) {
        area.flags |= VM_PFNMAP;
        return setOps(area, {
          nopagePfn: ({ area: touched, address }) =>
            kernel.mappings.insertPfn(touched, address, own.frame(asked++)),
        });
      },
    }));
    const address = yield* succeed("mmap", mapPlanted(device, pageSize));
    let seen: unknown;
    const other = yield* user.thread(function* () {
      seen = yield* user.load(address);
    }, "other");
    const own = yield* user.load(address);
    yield* user.join(other);
    must(own === markOf(0) || own === markOf(1), `a load sees ${String(own)}, which is neither frame`);
    mustBe("what the other thread sees", seen, own);
    mustBe("what is seen afterwards", yield* user.load(address), own);
  },
};
