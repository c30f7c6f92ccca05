import { type FaultOutcome, hwpoison, isTrap, oom, sigbus, sigsegv, type UserAddress } from "@nopage/core";
import { must, mustBe, mustReach, SIGBUS, SIGSEGV_MAPERR, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { AnyLaw } from "../law.ts";
import { mustHaveGrown, references, residentPages } from "../support/accounts.ts";
import { endedLoad } from "../support/ended-load.ts";
import { existingPages } from "../support/existing-pages.ts";
import { countsOf } from "../support/hook-counts.ts";
import { ownDevice } from "../support/own-device.ts";
import { handingOver } from "./handing-over.ts";
import { exhaustedCase, shortageCases } from "./shortage.ts";

const BUS_MCEERR_AR = "SIGBUS BUS_MCEERR_AR";

/** What becomes of each answer that a hook can give. */
export const resultLaws: readonly AnyLaw[] = [
  {
    id: "FR-01",
    level: "capability",
    owner: ["strategy", "core"],
    rule: "a page MUST be handed over with exactly one reference, and MUST count as one page of rss while it is mapped",
    source: "mm/memory.c __do_fault, finish_fault",
    cases: [
      {
        when: "rss of each page that is touched",
        schedule: "sequential",
        excluded: ({ subject }) => (subject.supports.countsPages ? undefined : "it maps no counted pages"),
        *program({ subject }) {
          const { pageSize, pages } = subject;
          const before = yield* residentPages();
          const address = yield* succeed("mmap", subject.map());
          const there = existingPages(subject);
          for (const [index, page] of there.entries()) {
            mustReach(`a load from page ${page}`, yield* user.load(address + page * pageSize));
            if (subject.supports.populate === "lazy") {
              yield* mustHaveGrown(`touching ${index + 1} pages`, before, index + 1);
            }
          }
          for (const page of there) yield* user.load(address + page * pageSize);
          yield* mustHaveGrown("touching each page twice", before, there.length);
          yield* user.munmap(address, pages * pageSize);
          yield* mustHaveGrown("a mapping that is gone", before, 0);
        },
      },
      {
        when: "references while it is mapped and afterwards",
        schedule: "sequential",
        executor: "model",
        excluded: ({ subject }) => (subject.supports.countsPages ? undefined : "it maps no counted pages"),
        *program({ subject }) {
          const { pageSize, pages } = subject;
          const before = yield* references();
          const address = yield* succeed("mmap", subject.map());
          const there = existingPages(subject);
          for (const page of [...there, ...there]) yield* user.load(address + page * pageSize);
          mustBe("the references that the mapping holds", (yield* references()) - before, there.length);
          yield* user.munmap(address, pages * pageSize);
          mustBe("the references that are left after munmap", (yield* references()) - before, 0);
        },
      },
      ...handingOver,
    ],
  },
  {
    id: "FR-02",
    level: "required",
    owner: ["core", "strategy"],
    rule: "a page that is not there MUST be SIGBUS with BUS_ADRERR at the address that was touched, MUST leave no entry behind, and MUST be asked for again at the next touch",
    source:
      "arch/x86/mm/fault.c do_sigbus; 2.0 left a BAD_PAGE entry behind, so that the next touch reached it",
    cases: [
      {
        when: "past the object's end",
        schedule: "sequential",
        excluded: ({ subject }) => (subject.resize === undefined ? "its length is fixed" : undefined),
        *program({ subject }) {
          const { pageSize, pages, supports } = subject;
          const address = yield* succeed("mmap", subject.map());
          const last = address + (pages - 1) * pageSize;
          yield* succeed("shrinking the object", subject.resize?.(pages - 1) ?? none());
          const asked = (yield* countsOf(subject)).faults;
          for (const at of [last, last, last + 8]) {
            const seen = yield* user.load(at);
            mustBe("a load past the end", seen, SIGBUS);
            if (isTrap(seen)) mustBe("si_addr", seen.address, at);
          }
          mustBe("a store past the end", yield* user.store(last, 1), SIGBUS);
          must(!(yield* user.pagemap(last, 1)).includes(true), "the page past the end has an entry");
          if (subject.counts !== undefined && supports.populate === "lazy") {
            mustBe("how often the handler was asked", (yield* countsOf(subject)).faults - asked, 4);
          }
          yield* succeed("growing the object again", subject.resize?.(pages) ?? none());
          mustBe(
            "the last page once it is there again",
            yield* subject.reach(last),
            subject.markOf(pages - 1),
          );
        },
      },
      {
        when: "a device that was pulled out",
        schedule: "sequential",
        excluded: ({ subject }) => (subject.remove === undefined ? "it cannot be pulled out" : undefined),
        *program({ subject }) {
          const { pageSize, pages } = subject;
          const address = yield* succeed("mmap", subject.map());
          yield* subject.reach(address);
          yield* subject.remove?.() ?? none();
          for (let page = 0; page < pages; page++) {
            mustBe(`a load from page ${page}`, yield* user.load(address + page * pageSize), SIGBUS);
          }
          must(!(yield* user.pagemap(address, pages)).includes(true), "a device that is gone has entries");
        },
      },
    ],
  },
  {
    id: "FR-03",
    level: "model-only",
    owner: ["core"],
    rule: "lack of memory MUST raise no signal, and the access MUST be tried again; an access by the kernel gets an error instead",
    source: "arch/x86/mm/fault.c do_user_addr_fault, VM_FAULT_OOM; mm/oom_kill.c pagefault_out_of_memory",
    cases: [
      {
        when: "",
        schedule: "sequential",
        kinds: "one",
        *program() {
          let refusals = 3;
          const device = yield* ownDevice({
            ops: ({ kernel, pages }) => ({
              nopage: ({ pgoff }) => {
                const page = pages[pgoff];
                return refusals-- > 0 || page === undefined ? oom : kernel.pages.handOver(page);
              },
            }),
          });
          const { address } = yield* device.mapped();
          mustReach("a load that found no memory three times", yield* user.load(address));
          mustBe("the refusals that are left", refusals, -1);
          refusals = 1;
          const uncopied = yield* copyIn(address + device.machine.geometry.pageSize);
          mustBe("what copy_from_user leaves out when there is no memory, in bytes", uncopied, 4);
          yield* device.release();
        },
      },
      ...shortageCases,
      exhaustedCase,
    ],
  },
  {
    id: "FR-04",
    level: "required",
    owner: ["core", "strategy"],
    rule: "a SIGSEGV result MUST be SEGV_MAPERR, and a broken frame MUST be SIGBUS with BUS_MCEERR_AR instead of a fault that comes again for ever",
    source:
      "arch/x86/mm/fault.c do_user_addr_fault, do_sigbus; mm/memory.c __do_fault (PageHWPoison); mm/memory-failure.c",
    cases: [
      {
        when: "any answer of a hook",
        schedule: "sequential",
        executor: "model",
        kinds: "one",
        *program() {
          let answer: FaultOutcome = sigsegv;
          const device = yield* ownDevice({ ops: () => ({ nopage: () => answer }) });
          const { address } = yield* device.mapped();
          mustBe("a load that the hook answers with sigsegv", yield* user.load(address), SIGSEGV_MAPERR);
          answer = hwpoison;
          mustBe("a load that the hook answers with hwpoison", yield* user.load(address), BUS_MCEERR_AR);
          answer = sigbus;
          mustBe("a load that the hook answers with sigbus", yield* user.load(address), SIGBUS);
          must(!(yield* user.pagemap(address, 4)).includes(true), "an entry was left behind");
          yield* device.release();
        },
      },
      {
        when: "a page of the object whose frame is broken",
        schedule: "sequential",
        excluded: ({ subject: { poison, supports } }) => {
          if (supports.populate === "eager") return "its frames are mapped before they break";
          return poison === undefined ? "its frames cannot be made to break" : undefined;
        },
        *program({ subject }) {
          const { pageSize, supports } = subject;
          if ((yield* subject.poison?.(1) ?? none()) !== 0) return;
          const address = yield* succeed("mmap", subject.map());
          const seen = yield* endedLoad(address + pageSize);
          // Of a bare pfn the handler of 6.1 knows nothing: the processor itself reports the access.
          if (supports.countsPages) mustBe("a load from a broken page", seen, BUS_MCEERR_AR);
          mustBe("its neighbour", yield* subject.reach(address), subject.markOf(0));
          yield* subject.heal?.(1) ?? none();
          if (!supports.countsPages) return;
          mustBe("the page, healed", yield* subject.reach(address + pageSize), subject.markOf(1));
        },
      },
    ],
  },
];

/** `copy_from_user` of a word: the bytes that were not copied. */
function* copyIn(address: number): Steps<number> {
  return yield* user.kernel(({ kernel }) => kernel.user.copyFrom(address as UserAddress, new Uint8Array(4)));
}

function* none(): Steps<number> {
  return 0;
}
