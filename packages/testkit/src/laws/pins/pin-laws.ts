import { EFAULT, type UserAddress, VM_READ, VM_WRITE } from "@nopage/core";
import { must, mustBe, mustFail, SIGSEGV_ACCERR, succeed } from "../../program/expect.ts";
import { user } from "../../program/user.ts";
import type { AnyLaw } from "../law.ts";
import { forked } from "../support/forked.ts";
import { frameAt } from "../support/frame-at.ts";
import { getPages, releasePages, TO_WRITE } from "../support/get-pages.ts";
import { privateMemory } from "../support/private-memory.ts";
import { dyingCases } from "./dying.ts";
import {
  balanceCases,
  mustPin,
  partialCases,
  pinnerOf,
  pinningTrials,
  rightsCases,
  unmapCases,
} from "./holding.ts";
import { movingPagesLaw } from "./moving-pages.ts";
import { partialCopyCases } from "./partial-copy.ts";
import { deathCases, forkCases, incoherentCase, pinAndForkCase } from "./survival.ts";
import { unsharingCases } from "./unsharing.ts";

/** The bit of a page's flags that tells reclaim to write it out (`PG_dirty`). */
const DIRTY = 1 << 1;

/** L. Pages that a device holds. */
export const pinLaws: readonly AnyLaw[] = [
  {
    id: "GP-01",
    level: "required",
    owner: ["driver"],
    rule: "each pin MUST have exactly one unpin, and at rest nothing may be held or charged",
    source: "Documentation/core-api/pin_user_pages.rst; nr_foll_pin_acquired, nr_foll_pin_released",
    cases: balanceCases,
  },
  {
    id: "GP-02",
    level: "capability",
    owner: ["core", "strategy"],
    rule: "munmap of held pages MUST succeed at once; they stay allocated until unpin, and the device's stores MUST NOT reach memory of anybody else",
    source: "mm/gup.c; observed with io_uring's registered buffers",
    cases: unmapCases,
  },
  {
    id: "GP-03",
    level: "capability",
    owner: ["driver", "strategy"],
    rule: "the death of a process, SIGKILL included, MUST give back all that it holds, after its address space has gone; until then the device MUST NOT reach memory of anybody else",
    source: "mail of 1998 on page locking and process termination; io_uring's release",
    cases: deathCases,
  },
  {
    id: "GP-04",
    level: "capability",
    owner: ["core", "strategy"],
    rule: "a fork MUST leave the device and the parent with the same page, and the child with another one",
    source: "copy_present_pte, page_needs_cow_for_dma",
    cases: [...forkCases, ...unsharingCases],
  },
  {
    id: "GP-05",
    level: "capability",
    owner: ["driver", "strategy"],
    rule: "a plain reference keeps the page and not the data: after a fork and a store of the parent the device MUST be expected to see the old page",
    source: "Documentation/core-api/pin_user_pages.rst, case 5; CVE-2020-29374",
    cases: [incoherentCase],
  },
  {
    id: "GP-06",
    level: "required",
    owner: ["core"],
    rule: "memory that the process may not write MUST NOT be pinned for a device that writes: -EFAULT",
    source: "check_vma_flags",
    cases: rightsCases,
  },
  {
    id: "GP-07",
    level: "required",
    owner: ["core"],
    rule: "a forced write MUST NOT write a shared mapping, or one that may never be written; of a private one only a copy of the process's own",
    source: "can_follow_write_pte; check_vma_flags; CVE-2016-5195, CVE-2022-2590",
    cases: [
      {
        when: "a shared read-only mapping",
        schedule: "sequential",
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map({ protection: VM_READ }));
          const before = yield* subject.reach(address);
          const written = yield* user.writeProcMem(address, Uint8Array.of(1, 2, 3, 4));
          must(written <= 0, `a forced write to a shared read-only mapping moves ${written} bytes`);
          mustBe("the page", yield* subject.reach(address), before);
        },
      },
      {
        when: "a private read-only mapping",
        schedule: "sequential",
        excluded: ({ subject }) =>
          subject.supports.privateWritable && subject.supports.countsPages
            ? undefined
            : "it is not copied on write",
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map({ protection: VM_READ, sharing: "private" }));
          mustBe("bytes written by force", yield* user.writeProcMem(address, Uint8Array.of(1, 0, 0, 0)), 4);
          mustBe("what the process reads then", yield* user.load(address), 1);
          const shown = yield* succeed("mmap", subject.map());
          mustBe("what the object shows", yield* subject.reach(shown), subject.markOf(0));
        },
      },
      {
        when: "a private page that is the process's own again",
        schedule: "sequential",
        kinds: "one",
        *program({ subject: { pageSize } }) {
          const own = yield* privateMemory(pageSize, [1]);
          yield* succeed("mprotect", user.mprotect(own, pageSize, VM_READ));
          yield* forked(function* () {
            mustBe("what the child reads", yield* user.load(own), 1);
          });
          for (const value of [2, 3]) {
            mustBe("bytes written by force", yield* user.writeProcMem(own, Uint8Array.of(value, 0, 0, 0)), 4);
            mustBe("what the process reads then", yield* user.load(own), value);
            mustBe("a store of the process", yield* user.store(own, 9), SIGSEGV_ACCERR);
          }
        },
      },
      {
        when: "the copy is dropped meanwhile",
        schedule: "racy",
        excluded: ({ subject }) =>
          subject.supports.privateWritable && subject.supports.countsPages
            ? undefined
            : "it is not copied on write",
        *program({ subject }) {
          const address = yield* succeed(
            "mmap",
            subject.map({ protection: VM_READ, sharing: "private", pages: 1 }),
          );
          const dropping = yield* user.thread(function* () {
            yield* user.madvise(address, subject.pageSize, "dontneed");
          });
          yield* user.writeProcMem(address, Uint8Array.of(1, 0, 0, 0));
          yield* user.join(dropping);
          const shown = yield* succeed("mmap", subject.map({ pages: 1 }));
          mustBe("what the object shows", yield* subject.reach(shown), subject.markOf(0));
        },
      },
    ],
  },
  {
    id: "GP-08",
    level: "required",
    owner: ["driver", "strategy"],
    rule: "when only some of the pages can be had, exactly those MUST be given back, once",
    source: "__get_user_pages; internal_get_user_pages_fast",
    cases: [
      ...partialCases,
      ...dyingCases,
      ...partialCopyCases,
      {
        when: "what the core answers",
        schedule: "sequential",
        executor: "model",
        kinds: "one",
        *program({ subject: { pageSize } }) {
          const own = yield* privateMemory(pageSize, [1, 2, 3]);
          yield* user.munmap(own + pageSize, pageSize);
          const held = yield* user.kernel(function* ({ kernel, thread }) {
            const request = { access: "write", hold: "pin", permission: "checked" } as const;
            const pages = yield* kernel.user.getPages(thread.mm, own as UserAddress, 3, request);
            if (typeof pages === "number") return pages;
            for (const page of pages) yield* kernel.user.releasePage(thread.mm, page, "pin", "clean");
            return pages.length;
          });
          mustBe("the number of pages that are had before the first that cannot be", held, 1);
        },
      },
    ],
  },
  {
    id: "GP-09",
    level: "untested",
    owner: ["core"],
    rule: "a long-term pin MUST be refused on fs-DAX and on secret memory, and movable pages MUST be moved out of the way first",
    source: "check_vma_flags; __gup_longterm_locked",
    reason:
      "the model has no file system on persistent memory, no memfd_secret and no movable zone, so nothing on it could be refused or moved",
  },
  {
    id: "GP-10",
    level: "model-only",
    owner: ["driver", "strategy"],
    rule: "a page that the device has written MUST be dirty when it is given back, so that reclaim writes it out",
    source: "unpin_user_pages_dirty_lock",
    cases: [
      {
        when: "",
        schedule: "sequential",
        about: pinningTrials,
        *program(stage) {
          const pinner = pinnerOf(stage);
          const { pageSize } = stage.subject;
          const file = yield* succeed("memfd", user.memfd("buffer"));
          yield* user.ftruncate(file, pageSize);
          const protection = VM_READ | VM_WRITE;
          const request = { length: pageSize, protection, sharing: "shared", descriptor: file } as const;
          const address = yield* succeed("mmap", user.mmap(request));
          const pinned = yield* mustPin(pinner, address, 1);
          // Only what the device does from here on counts.
          const page = yield* user.kernel(function* ({ machine, thread }) {
            const frame = Math.floor(thread.mm.table.entryOf(address / pageSize) / 4096);
            machine.memory.frames.flags[frame] = (machine.memory.frames.flags[frame] ?? 0) & ~DIRTY;
            return frame;
          });
          mustBe("a store of the device", yield* pinner.deviceWrite(pinned, 0, 7), 0);
          yield* pinner.unpin(pinned);
          const isDirty = yield* user.kernel(function* ({ machine }) {
            return ((machine.memory.frames.flags[page] ?? 0) & DIRTY) !== 0;
          });
          mustBe("whether the page is dirty once it is given back", isDirty, true);
          mustBe("what the process reads", yield* user.load(address), 7);
        },
      },
    ],
  },
  {
    id: "GP-11",
    level: "model-only",
    owner: ["core", "strategy"],
    rule: "a pin that is taken while fork goes through the pages MUST come out as if taken before it or after it",
    source: "lockless_pages_from_mm (write_protect_seq); 57efa1fe5957",
    cases: [pinAndForkCase],
  },
  {
    id: "GP-12",
    level: "model-only",
    owner: ["core"],
    rule: "pinning the page of zeros, and unpinning it, MUST change no count",
    source: "try_grab_page",
    cases: [
      {
        when: "",
        schedule: "sequential",
        about: pinningTrials,
        *program(stage) {
          const pinner = pinnerOf(stage);
          const { pageSize } = stage.subject;
          const request = { length: pageSize, protection: VM_READ | VM_WRITE, sharing: "private" } as const;
          const address = yield* succeed("mmap", user.mmap(request));
          yield* user.load(address);
          const counts = () =>
            user.kernel(function* ({ machine: { zeroPage, memory } }) {
              return [memory.frames.refcount[zeroPage], memory.frames.pincount[zeroPage]];
            });
          const before = yield* counts();
          const pinned = yield* mustPin(pinner, address, 1, "read");
          mustBe("what the device reads", yield* pinner.deviceRead(pinned, 0), 0);
          mustBe("the counts of the page of zeros while it is held", yield* counts(), before);
          yield* pinner.unpin(pinned);
          mustBe("the counts of the page of zeros afterwards", yield* counts(), before);
        },
      },
      {
        when: "a device that writes",
        schedule: "sequential",
        kinds: "one",
        *program({ subject: { pageSize } }) {
          const request = { length: pageSize, protection: VM_READ | VM_WRITE, sharing: "private" } as const;
          const address = yield* succeed("mmap", user.mmap(request));
          mustBe("a load", yield* user.load(address), 0);
          const held = yield* getPages(address, 1, TO_WRITE);
          const zero = yield* user.kernel(function* ({ machine }) {
            return machine.zeroPage;
          });
          must(
            typeof held !== "number" && held[0] !== zero,
            "the page of zeros is given to a device that writes",
          );
          mustBe("the page that the process has then", held, [yield* frameAt(address)]);
          yield* releasePages(held, TO_WRITE);
        },
      },
    ],
  },
  {
    id: "GP-13",
    level: "capability",
    owner: ["core", "strategy"],
    rule: "a driver's page that is mapped as a counted page can be pinned, and MUST then outlive munmap and the driver's own free; what no count keeps MUST NOT be pinned",
    source: "follow_page_pte, check_vma_flags; observed with a packet ring and O_DIRECT",
    cases: [
      {
        when: "counted pages",
        schedule: "sequential",
        // What the owner has freed is not there in the end.
        provokes: [],
        excluded: ({ subject, pinner }) =>
          pinner === undefined || !subject.supports.countsPages || subject.free === undefined
            ? "it maps no counted pages, or cannot free them"
            : undefined,
        *program(stage) {
          const pinner = pinnerOf(stage);
          const { subject } = stage;
          const address = yield* succeed("mmap", subject.map());
          const pinned = yield* mustPin(pinner, address, 1);
          mustBe("what the device reads", yield* pinner.deviceRead(pinned, 0), subject.markOf(0));
          yield* user.munmap(address, subject.pages * subject.pageSize);
          if (subject.free !== undefined) yield* subject.free();
          yield* privateMemory(subject.pageSize, [0xb0, 0xb1]);
          mustBe(
            "what the device reads once nobody else has the page",
            yield* pinner.deviceRead(pinned, 0),
            subject.markOf(0),
          );
          mustBe("a store of the device", yield* pinner.deviceWrite(pinned, 0, 7), 0);
          yield* pinner.unpin(pinned);
        },
      },
      {
        when: "bare frames",
        schedule: "sequential",
        excluded: ({ subject, pinner }) =>
          pinner === undefined || subject.supports.countsPages ? "it maps counted pages" : undefined,
        *program(stage) {
          const address = yield* succeed("mmap", stage.subject.map());
          const refused = yield* pinnerOf(stage).pin(address, 1, "read");
          mustFail("pinning a bare frame", typeof refused === "number" ? refused : 0, EFAULT);
        },
      },
    ],
  },
  movingPagesLaw,
];
