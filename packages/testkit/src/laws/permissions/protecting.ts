import { EINVAL, ENOMEM, VM_EXEC, VM_READ, VM_WRITE } from "@nopage/core";
import { mustBe, mustFail, SIGSEGV_ACCERR, SIGSEGV_MAPERR } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { AnyLaw } from "../law.ts";
import { mustHaveFaulted } from "../support/accounts.ts";
import { forked } from "../support/forked.ts";
import { ownDevice } from "../support/own-device.ts";
import {
  mapAnywhere,
  mustLieAs,
  mustRead,
  type Paged,
  READ_WRITE,
  write,
  writtenIsland,
} from "../support/own-memory.ts";
import { unmap } from "../support/reserved-range.ts";

const NO_FAULT = { minor: 0, major: 0 };
const ONE_FAULT = { minor: 1, major: 0 };

/** What mprotect does to ranges, and to pages that are there. */
export const protectingLaws: readonly AnyLaw[] = [
  {
    id: "PE-07",
    level: "required",
    owner: ["core"],
    rule: "mprotect MUST refuse an address inside a page with EINVAL and a range with a hole with ENOMEM, and leave what lies behind the hole as it was",
    source: "mm/mprotect.c do_mprotect_pkey; mprotect(2)",
    cases: [
      {
        when: "what is no range",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const { pageSize, wordBits } = subject;
          const address = yield* writtenIsland(subject, [1, 2]);
          mustFail("inside a page", yield* user.mprotect(address + 8, pageSize, VM_READ), EINVAL);
          mustBe("of nothing", yield* user.mprotect(address, 0, 0), 0);
          const beyond = user.mprotect(address, 2 ** wordBits - pageSize, 0);
          mustFail("of more than there can be", yield* beyond, ENOMEM);
          yield* write(subject, address, [3, 4]);
          yield* mustLieAs(subject, "the memory", address, 2, [[0, 2]]);
          mustBe("of the first byte", yield* user.mprotect(address, 1, 0), 0);
          mustBe("a load from its page", yield* user.load(address + 64), SIGSEGV_ACCERR);
          yield* mustRead(subject, "the next page", address + pageSize, [4]);
        },
      },
      {
        when: "a range with a hole",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* writtenIsland(subject, [1, 2, 3]);
          yield* unmap(subject, address + pageSize, 1);
          mustFail("of a hole", yield* user.mprotect(address + pageSize, pageSize, VM_READ), ENOMEM);
          mustFail("across a hole", yield* user.mprotect(address, 3 * pageSize, VM_READ), ENOMEM);
          const stores = [];
          for (const page of [0, 1, 2]) stores.push(yield* user.store(address + page * pageSize, 9));
          mustBe("stores to the three pages", stores, [SIGSEGV_ACCERR, SIGSEGV_MAPERR, undefined]);
        },
      },
      {
        when: "several areas at once, of which some are so already",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* writtenIsland(subject, [1, 0, 3, 4]);
          mustBe(
            "mprotect of the second page",
            yield* user.mprotect(address + pageSize, pageSize, VM_READ),
            0,
          );
          mustBe("mprotect of the last page", yield* user.mprotect(address + 3 * pageSize, pageSize, 0), 0);
          mustBe("mprotect of all", yield* user.mprotect(address, 4 * pageSize, VM_READ | VM_EXEC), 0);
          yield* mustLieAs(subject, "the memory", address, 4, [[0, 4]]);
          yield* mustRead(subject, "the memory", address, [1, 0, 3, 4]);
          for (const page of [0, 1, 2, 3]) {
            const seen = yield* user.store(address + page * pageSize, 9);
            mustBe(`a store to page ${page}`, seen, SIGSEGV_ACCERR);
          }
          mustBe(
            "mprotect of all to the same",
            yield* user.mprotect(address, 4 * pageSize, VM_READ | VM_EXEC),
            0,
          );
          mustBe("mprotect of all back", yield* user.mprotect(address, 4 * pageSize, READ_WRITE), 0);
          yield* write(subject, address, [5, 6, 7, 8]);
        },
      },
      {
        when: "memory of which most was never touched",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          // More than the page tables of two leaves hold, of which only the first and the last page are there.
          const pages = 2 * 8192 + 2;
          const address = yield* mapAnywhere(subject, pages);
          const last = address + (pages - 1) * subject.pageSize;
          for (const at of [address, last]) mustBe("a store", yield* user.store(at, 7), undefined);
          const { rss } = yield* user.memoryStatus();
          mustBe("mprotect", yield* user.mprotect(address, pages * subject.pageSize, VM_READ), 0);
          for (const at of [address, last]) {
            mustBe("a store", yield* user.store(at, 8), SIGSEGV_ACCERR);
            mustBe("a load", yield* user.load(at), 7);
          }
          mustBe("resident pages", (yield* user.memoryStatus()).rss, rss);
        },
      },
    ],
  },
  {
    id: "PE-08",
    level: "required",
    owner: ["core"],
    rule: "pages that become writable again MUST be stored to without a fault where nobody else has them and nobody is to be asked, and MUST fault where somebody is",
    source: "mm/mprotect.c can_change_pte_writable, mprotect_fixup (6.1)",
    cases: [
      {
        when: "private pages",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const address = yield* writtenIsland(subject, [1, 0]);
          const zeros = address + subject.pageSize;
          mustBe("a load of a page of zeros", yield* user.load(zeros), 0);
          yield* takeAndGiveBack(subject, address, 2);
          yield* mustStore("a page of one's own", address, NO_FAULT);
          yield* mustStore("a page of zeros", zeros, ONE_FAULT);
        },
      },
      {
        when: "private pages that were mapped for reading",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const address = yield* mapAnywhere(subject, 1, { protection: VM_READ });
          mustBe("a load", yield* user.load(address), 0);
          mustBe("mprotect", yield* user.mprotect(address, subject.pageSize, READ_WRITE), 0);
          yield* mustStore("the page of zeros", address, ONE_FAULT);
          yield* takeAndGiveBack(subject, address, 1);
          yield* mustStore("the page that was made", address, NO_FAULT);
        },
      },
      {
        when: "private pages that are locked, which are copied at once",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const address = yield* mapAnywhere(subject, 1, { protection: VM_READ, locking: "locked" });
          mustBe("mprotect", yield* user.mprotect(address, subject.pageSize, READ_WRITE), 0);
          yield* mustStore("the copy of the page of zeros", address, NO_FAULT);
        },
      },
      {
        when: "pages that a child has too",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const address = yield* writtenIsland(subject, [1]);
          yield* forked(function* () {
            yield* takeAndGiveBack(subject, address, 1);
            yield* mustStore("the parent's page", address, ONE_FAULT);
          });
          yield* mustRead(subject, "the parent's page", address, [1]);
        },
      },
      {
        when: "shared memory",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const address = yield* mapAnywhere(subject, 1, { sharing: "shared" });
          yield* write(subject, address, [1]);
          yield* takeAndGiveBack(subject, address, 1);
          yield* mustStore("a shared page", address, NO_FAULT);
        },
      },
      {
        when: "pages of a driver that is asked before a page is written",
        schedule: "sequential",
        kinds: "one",
        executor: "model",
        *program({ subject }) {
          const asked: number[] = [];
          const device = yield* ownDevice({
            ops: () => ({
              mkwrite({ pgoff }) {
                asked.push(pgoff);
                return { kind: "installed" };
              },
            }),
          });
          for (const sharing of ["shared", "private"] as const) {
            const { address } = yield* device.mapped({ sharing });
            const second = address + subject.pageSize;
            mustBe("a store to the first page", yield* user.store(address, device.markOf(0)), undefined);
            mustBe("a load of the second page", yield* user.load(second), device.markOf(1));
            yield* takeAndGiveBack(subject, address, 4);
            yield* mustStore("a page that was written", address, NO_FAULT);
            yield* mustStore("a page that was only read", second, ONE_FAULT);
            mustBe("munmap", yield* user.munmap(address, 4 * subject.pageSize), 0);
          }
          mustBe("the pages that the driver was asked about", asked, [0, 1]);
          yield* device.release();
        },
      },
    ],
  },
];

/** Makes pages read-only, which must be seen, and writable again. */
function* takeAndGiveBack({ pageSize }: Paged, address: number, pages: number): Steps<void> {
  mustBe("mprotect for reading", yield* user.mprotect(address, pages * pageSize, VM_READ), 0);
  for (let page = 0; page < pages; page++) {
    mustBe("a store meanwhile", yield* user.store(address + page * pageSize, 9), SIGSEGV_ACCERR);
  }
  mustBe("mprotect for writing", yield* user.mprotect(address, pages * pageSize, VM_READ | VM_WRITE), 0);
}

function* mustStore(what: string, address: number, faults: { minor: number; major: number }): Steps<void> {
  const before = yield* user.faults();
  mustBe(`a store to ${what}`, yield* user.store(address + 16, 5), undefined);
  yield* mustHaveFaulted(`a store to ${what}`, before, faults);
  mustBe(`what is read of ${what} afterwards`, yield* user.load(address + 16), 5);
}
