import { EFAULT, EIO, oom, type UserAddress, VM_READ, VM_WRITE } from "@nopage/core";
import {
  must,
  mustBe,
  mustFail,
  mustReach,
  SIGBUS,
  SIGSEGV_ACCERR,
  SIGSEGV_MAPERR,
  succeed,
} from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { Subject } from "../../subject/subject.ts";
import type { AnyLaw, LawCase, Stage } from "../law.ts";
import { areaAt, mustHaveFaulted, references } from "../support/accounts.ts";
import { existingPages } from "../support/existing-pages.ts";
import { countsOf } from "../support/hook-counts.ts";
import { ownDevice } from "../support/own-device.ts";
import { unwatchedHandlers } from "./asking-again.ts";
import { kernelThreadCase, killedCopyCase } from "./by-the-kernel.ts";
import { copyingCases } from "./copying.ts";
import { writingCases } from "./writing.ts";

/** What each kind of access leads to: which are asked about, which are counted, which make a copy. */
export const accessLaws: readonly AnyLaw[] = [
  {
    id: "FR-05",
    level: "required",
    owner: ["core"],
    rule: "an access that the area does not permit MUST be SIGSEGV with SEGV_ACCERR, one without an area SIGSEGV with SEGV_MAPERR, and neither MUST reach the handler",
    source: "arch/x86/mm/fault.c access_error, bad_area, bad_area_access_error",
    cases: [
      {
        when: "",
        schedule: "sequential",
        *program({ subject }) {
          const { pageSize, pages } = subject;
          const readable = yield* succeed("mmap for reading", subject.map({ protection: VM_READ }));
          const closed = yield* succeed("mmap for nothing", subject.map({ protection: 0 }));
          const revoked = yield* succeed("mmap", subject.map());
          const asked = (yield* countsOf(subject)).faults;
          yield* succeed("mprotect", user.mprotect(revoked, pages * pageSize, VM_READ));
          for (const [what, address] of [
            ["a mapping for reading", readable],
            ["a mapping that mprotect made one for reading", revoked],
            ["a mapping for nothing", closed],
          ] as const) {
            mustBe(`a store to ${what}`, yield* user.store(address, 1), SIGSEGV_ACCERR);
          }
          mustBe("a load from a mapping for nothing", yield* user.load(closed), SIGSEGV_ACCERR);
          yield* user.munmap(closed, pages * pageSize);
          mustBe("a load from no mapping", yield* user.load(closed), SIGSEGV_MAPERR);
          mustBe("a store to no mapping", yield* user.store(closed, 1), SIGSEGV_MAPERR);
          mustBe("the questions to the handler", (yield* countsOf(subject)).faults - asked, 0);
          mustBe("a load from a mapping for reading", yield* user.load(readable), subject.markOf(0));
          mustBe("a store there, once it was loaded from", yield* user.store(readable, 1), SIGSEGV_ACCERR);
        },
      },
    ],
  },
  {
    id: "FR-09",
    level: "required",
    owner: ["core"],
    rule: "a copy by the kernel from or to a page that is not there MUST end in EFAULT and MUST NOT raise a signal",
    source: "arch/x86/mm/fault.c kernelmode_fixup_or_oops; lib/usercopy.c",
    cases: [
      {
        when: "a page past the object's end, read through /proc",
        schedule: "sequential",
        excluded: ({ subject }) => (subject.resize === undefined ? "its length is fixed" : undefined),
        *program({ subject }) {
          yield* user.countSignal("SIGBUS");
          const at = yield* pastTheEnd(subject);
          mustFail("process_vm_readv", numberOf(yield* user.processVmRead(at, 4)), EFAULT);
          mustBe("the bytes of /proc/self/mem", (yield* user.readProcMem(at, 4)).length, 0);
          mustBe("the number of SIGBUS taken", yield* user.signalsTaken("SIGBUS"), 0);
        },
      },
      {
        when: "a page past the object's end, copied by a system call",
        schedule: "sequential",
        executor: "model",
        excluded: ({ subject }) => (subject.resize === undefined ? "its length is fixed" : undefined),
        *program({ subject }) {
          yield* user.countSignal("SIGBUS");
          const at = yield* pastTheEnd(subject);
          const uncopied = yield* user.kernel(function* ({ kernel }) {
            const out = yield* kernel.user.copyTo(at as UserAddress, new Uint8Array(8));
            return [out, yield* kernel.user.copyFrom(at as UserAddress, new Uint8Array(8))];
          });
          mustBe("the bytes that were copied neither out nor in", uncopied, [8, 8]);
          mustBe("the number of SIGBUS taken", yield* user.signalsTaken("SIGBUS"), 0);
        },
      },
      killedCopyCase,
    ],
  },
  {
    id: "FR-13",
    level: "required",
    owner: ["core"],
    rule: "a fault that succeeds at once MUST count as minor, one that succeeds after a wait as major, and one that fails as neither",
    source: "mm/memory.c mm_account_fault",
    cases: [
      {
        when: "the first touch and the second",
        schedule: "sequential",
        excluded: ({ subject }) =>
          subject.supports.populate === "eager" ? "no touch of it faults" : undefined,
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          const before = yield* user.faults();
          const there = existingPages(subject);
          for (const page of there) {
            mustReach(`a load from page ${page}`, yield* user.load(address + page * subject.pageSize));
          }
          // A handler may map neighbours as well (PF-10), so the first touches may be fewer faults than pages.
          const { minor } = yield* user.faults();
          const first = minor - before.minor;
          must(
            first > 0 && first <= there.length,
            `${there.length} first touches counted as ${first} minor faults`,
          );
          for (const page of there) yield* user.load(address + page * subject.pageSize);
          yield* mustHaveFaulted("touching each page twice", before, { minor: first, major: 0 });
        },
      },
      {
        when: "a fault that fails",
        schedule: "sequential",
        excluded: ({ subject }) => (subject.resize === undefined ? "its length is fixed" : undefined),
        *program({ subject }) {
          const at = yield* pastTheEnd(subject);
          const before = yield* user.faults();
          mustBe("a load past the end", yield* user.load(at), SIGBUS);
          mustBe("a load where nothing is mapped", yield* user.load(0), SIGSEGV_MAPERR);
          yield* mustHaveFaulted("accesses that end in a signal", before, { minor: 0, major: 0 });
        },
      },
      {
        when: "a fault that waits at the gate",
        schedule: "sequential",
        excluded: ({ subject: { supports, gate } }) =>
          supports.whileRevoked === "wait" && gate !== undefined ? undefined : "nobody waits at its gate",
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          yield* subject.gate?.close() ?? nothing();
          const waiter = yield* user.thread(function* () {
            const before = yield* user.faults();
            mustReach("a load that waited", yield* user.load(address));
            yield* mustHaveFaulted("a load that waited", before, { minor: 0, major: 1 });
          }, "waiter");
          yield* user.settle();
          yield* subject.gate?.open() ?? nothing();
          yield* user.join(waiter);
        },
      },
      kernelThreadCase,
    ],
  },
  {
    id: "FR-14",
    level: "capability",
    owner: ["core"],
    rule: "the first store to a private mapping of pages MUST go to a copy, MUST leave the object as it is, and MUST NOT keep a reference to its page",
    source: "mm/memory.c do_cow_fault, wp_page_copy",
    cases: [
      ...(["a store at once", "a store after a load"] as const).map(
        (when): LawCase => ({
          when,
          schedule: "sequential",
          excluded: ({ subject: { supports } }) =>
            supports.countsPages && supports.privateWritable
              ? undefined
              : "it has no private mappings of pages",
          *program({ subject }) {
            const address = yield* succeed("private mmap", subject.map({ sharing: "private" }));
            const shared = yield* succeed("shared mmap", subject.map());
            if (when === "a store after a load") yield* user.load(address);
            mustReach("a store to the private mapping", yield* user.store(address, 77));
            mustBe("the private page", yield* user.load(address), 77);
            mustBe("the shared page", yield* user.load(shared), subject.markOf(0));
            if (subject.peek !== undefined) {
              mustBe("the page as its owner sees it", yield* subject.peek(0), subject.markOf(0));
            }
            const { rss, anonymous } = yield* areaAt(address);
            // The copy stands for the page that was stored to; what mmap has mapped beside it stays.
            const mapped = subject.supports.populate === "eager" ? existingPages(subject).length : 1;
            mustBe("rss and anonymous pages of the private mapping", [rss, anonymous], [mapped, 1]);
          },
        }),
      ),
      {
        when: "the references that are left",
        schedule: "sequential",
        executor: "model",
        excluded: ({ subject: { supports } }) =>
          supports.countsPages && supports.privateWritable
            ? undefined
            : "it has no private mappings of pages",
        *program({ subject }) {
          const before = yield* references();
          const address = yield* succeed("private mmap", subject.map({ sharing: "private" }));
          mustReach("a store to the private mapping", yield* user.store(address, 77));
          mustBe("references, of which one is to the copy,", (yield* references()) - before, 1);
          yield* user.munmap(address, subject.pages * subject.pageSize);
          mustBe("references that are left", (yield* references()) - before, 0);
        },
      },
      ...copyingCases,
    ],
  },
  {
    id: "FR-15",
    level: "required",
    owner: ["core", "strategy"],
    rule: "the first store to a shared page MUST ask a driver that has mkwrite, once; its error MUST be SIGBUS, and the page MUST stay as it was",
    source: "mm/memory.c do_page_mkwrite, wp_page_shared, wp_pfn_shared, do_shared_fault",
    cases: [
      {
        when: "a driver that refuses once",
        schedule: "sequential",
        excluded: hasNoMkwrite,
        *program({ subject }) {
          yield* subject.failNext?.("mkwrite", EIO) ?? nothing();
          const address = yield* succeed("mmap", subject.map());
          mustBe("a load", yield* user.load(address), subject.markOf(0));
          mustBe("the store that is refused", yield* user.store(address, 77), SIGBUS);
          mustBe("a load afterwards", yield* user.load(address), subject.markOf(0));
          mustReach("the store that is not refused", yield* user.store(address, 78));
          mustBe("a load of what was stored", yield* user.load(address), 78);
        },
      },
      {
        when: "a store as the first touch",
        schedule: "sequential",
        excluded: hasNoMkwrite,
        *program({ subject }) {
          yield* subject.failNext?.("mkwrite", EIO) ?? nothing();
          const address = yield* succeed("mmap", subject.map());
          mustBe("the store that is refused", yield* user.store(address, 77), SIGBUS);
          mustBe("a load afterwards", yield* user.load(address), subject.markOf(0));
        },
      },
      {
        when: "how often it is asked",
        schedule: "sequential",
        executor: "model",
        kinds: "one",
        *program() {
          let asked = 0;
          const device = yield* ownDevice({
            ops: () => ({
              mkwrite: () => {
                asked++;
                return asked === 2 ? oom : { kind: "installed" };
              },
            }),
          });
          const shared = (yield* device.mapped()).address;
          const copied = (yield* device.mapped({ sharing: "private" })).address;
          const { pageSize } = device.machine.geometry;
          yield* user.load(shared);
          mustBe("the questions after a load", asked, 0);
          for (let store = 0; store < 3; store++) mustReach("a store", yield* user.store(shared, store));
          mustBe("the questions after three stores", asked, 1);
          mustReach("a store that found no memory once", yield* user.store(shared + pageSize, 1));
          mustBe("the questions after lack of memory", asked, 3);
          yield* user.store(copied, 1);
          mustBe("the questions after a store to a private mapping", asked, 3);
          mustBe("the owner's page", yield* user.load(shared), 2);
          yield* device.release();
        },
      },
      ...writingCases,
    ],
  },
  {
    id: "FR-16",
    level: "required",
    owner: ["core", "strategy"],
    rule: "every page MUST show the object page at its offset from the area's start plus the area's offset, from wherever it was mapped, and after a split and a move",
    source: "mm/memory.c __handle_mm_fault; include/linux/pagemap.h linear_page_index",
    cases: [
      ...unwatchedHandlers,
      {
        when: "from whichever page the mapping starts",
        schedule: "sequential",
        *program({ subject }) {
          for (let first = 0; first < subject.pages; first++) {
            const address = yield* succeed(`mmap from page ${first} on`, subject.map({ first }));
            yield* mustShowFrom(subject, `mapped from page ${first} on`, address, first);
          }
        },
      },
      {
        when: "touched for the first time after a split and a move",
        schedule: "sequential",
        *program({ subject }) {
          const { pageSize, pages } = subject;
          const address = yield* succeed("mmap", subject.map());
          yield* succeed("munmap of page 0", user.munmap(address, pageSize));
          const rest = address + pageSize;
          const length = (pages - 1) * pageSize;
          const request = {
            address: rest,
            oldLength: length,
            newLength: length,
            moving: "may-move",
          } as const;
          const moved = yield* succeed("mremap", user.mremap({ ...request, newAddress: rest + 16 * length }));
          yield* mustShowFrom(subject, "moved without page 0", moved, 1);
        },
      },
      {
        when: "what the handler is told",
        schedule: "sequential",
        executor: "model",
        kinds: "one",
        *program() {
          const device = yield* ownDevice();
          const { pageSize } = device.machine.geometry;
          const { address } = yield* device.mapped({ first: 1 });
          yield* user.load(address + 12);
          yield* user.munmap(address, pageSize);
          yield* user.store(address + 2 * pageSize - 4, 1);
          const length = pageSize;
          const from = address + 2 * pageSize;
          const request = {
            address: from,
            oldLength: length,
            newLength: length,
            moving: "may-move",
          } as const;
          const moved = yield* succeed("mremap", user.mremap({ ...request, newAddress: from + 16 * length }));
          yield* user.load(moved + 8);
          mustBe(
            "the questions",
            JSON.stringify(device.asked),
            JSON.stringify([
              { address, pgoff: 1, access: "read" },
              { address: address + pageSize, pgoff: 2, access: "write" },
              { address: moved, pgoff: 3, access: "read" },
            ]),
          );
          yield* device.release();
        },
      },
    ],
  },
];

/** Why nobody is asked about the first store. Entries that mmap makes are writable before a driver has said who to ask. */
function hasNoMkwrite({ subject: { supports, failNext } }: Stage): string | undefined {
  if (supports.populate === "eager") return "its entries are made writable at mmap";
  return failNext === undefined ? "its hooks do not fail" : undefined;
}

/** Maps all of the object, shortens it by a page, and answers with the address of the page that is gone. */
function* pastTheEnd(subject: Subject): Steps<number> {
  const last = subject.pages - 1;
  const address = yield* succeed("mmap", subject.map({ protection: VM_READ | VM_WRITE }));
  yield* succeed("shrinking the object", subject.resize?.(last) ?? nothing());
  must(
    !(yield* user.pagemap(address + last * subject.pageSize, 1)).includes(true),
    "the page gone has an entry",
  );
  return address + last * subject.pageSize;
}

function* mustShowFrom(subject: Subject, how: string, address: number, first: number): Steps<void> {
  for (const page of existingPages(subject)) {
    if (page < first) continue;
    const seen = yield* subject.reach(address + (page - first) * subject.pageSize);
    mustBe(`object page ${page}, ${how},`, seen, subject.markOf(page));
  }
}

function numberOf(answer: Uint8Array | number): number {
  return typeof answer === "number" ? answer : answer.length;
}

function* nothing(): Steps<number> {
  return 0;
}
