import { EBUSY, EFAULT, EINVAL, ENOMEM, isError, type Page, type UserAddress } from "@nopage/core";
import { inWords, LawBroken, mustBe, SIGBUS, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { AnyLaw } from "../law.ts";
import {
  areaAt,
  mustHaveFaulted,
  mustHaveFlags,
  mustHaveGrown,
  references,
  residentPages,
} from "../support/accounts.ts";
import { existingPages } from "../support/existing-pages.ts";
import { ownDevice } from "../support/own-device.ts";
import { mustShow } from "../support/shown-pages.ts";
import { hinderedInsertionCases, insertingHandlersCase } from "./insertion-races.ts";

/** Counted pages that are mapped one by one before anybody touches them. */
export const insertLaws: readonly AnyLaw[] = [
  {
    id: "RE-08",
    level: "required",
    owner: ["core"],
    rule: "a page that is inserted MUST count as one reference and one page of rss, in an area that is VM_MIXEDMAP",
    source: "mm/memory.c vm_insert_page, insert_page",
    cases: [
      {
        when: "pages that a subject maps at mmap",
        schedule: "sequential",
        excluded: ({ subject: { supports } }) =>
          supports.populate === "eager" && supports.countsPages ? undefined : "it maps no pages at mmap",
        *program({ subject }) {
          const before = yield* residentPages();
          const address = yield* succeed("mmap", subject.map());
          yield* mustHaveFlags(address, ["mm"]);
          yield* mustHaveGrown("mmap", before, existingPages(subject).length);
          mustBe("Rss of the area", (yield* areaAt(address)).rss, existingPages(subject).length);
        },
      },
      {
        when: "any driver",
        schedule: "sequential",
        executor: "model",
        kinds: "one",
        *program() {
          const device = yield* ownDevice({
            *mmap(area, { kernel, pages, machine }) {
              for (const [index, page] of pages.entries()) {
                const at = (area.start + index * machine.geometry.pageSize) as UserAddress;
                const result = yield* kernel.mappings.insertPage(area, at, page);
                if (result !== 0) return result;
              }
              return 0;
            },
          });
          const before = { rss: yield* residentPages(), references: yield* references() };
          const { address, pages } = yield* device.mapped();
          const { pageSize } = device.machine.geometry;
          yield* mustHaveFlags(address, ["mm"]);
          yield* mustHaveGrown("mmap", before.rss, pages);
          mustBe("references beside the driver's own", device.extraReferences(), [1, 1, 1, 1]);
          const faults = yield* user.faults();
          for (let page = 0; page < pages; page++) {
            mustBe(`page ${page}`, yield* user.load(address + page * pageSize), device.markOf(page));
          }
          yield* mustHaveFaulted("touching every page", faults, { minor: 0, major: 0 });
          yield* user.munmap(address, pages * pageSize);
          yield* mustHaveGrown("a mapping that is gone", before.rss, 0);
          mustBe("references that are left", (yield* references()) - before.references, 0);
          yield* device.release();
        },
      },
      insertingHandlersCase,
    ],
  },
  {
    id: "RE-09",
    level: "required",
    owner: ["core"],
    rule: "insertion outside the area MUST be refused with EFAULT, of a page that is free, anonymous or of a slab with EINVAL, and into an occupied slot with EBUSY",
    source: "mm/memory.c vm_insert_page, validate_page_before_insert, insert_page_into_pte_locked",
    cases: [
      {
        when: "",
        schedule: "sequential",
        executor: "model",
        kinds: "one",
        *program({ subject: { pageSize } }) {
          const request = { length: pageSize, protection: 3, sharing: "private" } as const;
          const own = yield* succeed("mmap of anonymous memory", user.mmap(request));
          yield* user.store(own, 1);
          const anonymous = yield* pageBehind(own);
          const answers: number[] = [];
          const device = yield* ownDevice({
            *mmap(area, { kernel, machine, pages }) {
              const { kmalloc, directMap, frames } = machine.memory;
              const [first, second] = pages as readonly [Page, Page];
              const slab = kmalloc.kmalloc(64);
              if (slab === undefined) return -ENOMEM;
              const free = (frames.count - 1) as Page;
              mustBe("whether the last page of the machine is free", frames.isAllocated(free), false);
              const tried: readonly (readonly [number, Page])[] = [
                [area.end, first],
                [area.start - 1, first],
                [area.start, free],
                [area.start, anonymous],
                [area.start, directMap.virtToPage(slab)],
                [area.start, first],
                [area.start, second],
              ];
              for (const [at, page] of tried) {
                answers.push(yield* kernel.mappings.insertPage(area, at as UserAddress, page));
              }
              kmalloc.kfree(slab);
              return 0;
            },
          });
          const { address } = yield* device.mapped();
          mustBe("outside, twice", answers.slice(0, 2), [-EFAULT, -EFAULT]);
          mustBe("a free, an anonymous and a slab page", answers.slice(2, 5), [-EINVAL, -EINVAL, -EINVAL]);
          mustBe("an empty slot and the same, occupied", answers.slice(5), [0, -EBUSY]);
          mustBe("the page that is shown", yield* user.load(address), device.markOf(0));
          mustBe("references beside the driver's own", device.extraReferences(), [1, 0, 0, 0]);
          yield* device.release();
        },
      },
      ...hinderedInsertionCases,
    ],
  },
  {
    id: "RE-10",
    level: "capability",
    owner: ["strategy", "core"],
    rule: "a page that was zapped MUST come back at the next touch where a handler answers, and MUST be SIGBUS where none does, until it is mapped anew",
    source: "mm/memory.c do_fault; mm/madvise.c madvise_dontneed_free; net/packet/af_packet.c packet_mmap",
    cases: [
      {
        when: "after MADV_DONTNEED",
        schedule: "sequential",
        *program({ subject }) {
          const { pageSize, pages, supports } = subject;
          const address = yield* succeed("mmap", subject.map());
          const whole = { address, first: 0, pages };
          yield* mustShow(subject, "the mapping", whole);
          const { flags } = yield* areaAt(address);
          const answer = yield* user.madvise(address, pages * pageSize, "dontneed");
          mustBe("MADV_DONTNEED", inWords(answer), inWords(flags.includes("pf") ? -EINVAL : 0));
          if (isError(answer) || supports.populate === "lazy") {
            yield* mustShow(subject, "the mapping after MADV_DONTNEED", whole);
            return;
          }
          mustBe("a page that was zapped", yield* user.load(address), SIGBUS);
          const anew = yield* succeed("another mmap", subject.map());
          yield* mustShow(subject, "another mapping", { ...whole, address: anew });
        },
      },
      {
        when: "a driver that inserts at mmap and answers no fault",
        schedule: "sequential",
        executor: "model",
        kinds: "one",
        *program() {
          const device = yield* ownDevice({
            faults: "not-answered",
            *mmap(area, { kernel, pages: [first] }) {
              return first === undefined
                ? -EINVAL
                : yield* kernel.mappings.insertPage(area, area.start, first);
            },
          });
          const { pageSize } = device.machine.geometry;
          const { address } = yield* device.mapped({ pages: 1 });
          mustBe("the page", yield* user.load(address), device.markOf(0));
          yield* succeed("MADV_DONTNEED", user.madvise(address, pageSize, "dontneed"));
          for (const time of ["first", "second"]) {
            mustBe(`the ${time} touch of what was zapped`, yield* user.load(address), SIGBUS);
          }
          const anew = yield* device.mapped({ pages: 1 });
          mustBe("the page, mapped anew", yield* user.load(anew.address), device.markOf(0));
          yield* device.release();
        },
      },
    ],
  },
];

/** The page behind an address, which is not kept. */
function* pageBehind(address: number): Steps<Page> {
  return yield* user.kernel(function* ({ kernel, thread }) {
    const request = { access: "read", hold: "reference", permission: "checked" } as const;
    const held = yield* kernel.user.getPages(thread.mm, address as UserAddress, 1, request);
    const page = typeof held === "number" ? undefined : held[0];
    if (page === undefined) throw new LawBroken(`there is no page behind 0x${address.toString(16)}`);
    yield* kernel.user.releasePage(thread.mm, page, "reference", "clean");
    return page;
  });
}
