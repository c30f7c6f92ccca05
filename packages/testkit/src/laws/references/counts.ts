import { isError, isTrap, type Page, VM_READ } from "@nopage/core";
import { must, mustBe, mustReach, SIGBUS, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { Subject } from "../../subject/subject.ts";
import { countsNothing } from "../bare-frames/bare-frames.ts";
import type { AnyLaw } from "../law.ts";
import { mustHaveGrown, references, residentPages } from "../support/accounts.ts";
import { existingPages } from "../support/existing-pages.ts";
import { frameAt, SATURATED, setReferences } from "../support/frame-at.ts";
import { ownDevice } from "../support/own-device.ts";
import { ghostCases } from "./ghost-sharing.ts";
import { saturationCases } from "./saturation.ts";
import { watchedResidentCase } from "./watched-resident.ts";

/** References and resident pages over the life of mappings. */
export const referenceCountLaws: readonly AnyLaw[] = [
  {
    id: "RC-01",
    level: "required",
    owner: ["core", "strategy"],
    rule: "when all mappings are gone every page MUST have as many references as before the first",
    source: "mm/memory.c zap_pte_range",
    cases: [
      {
        when: "",
        schedule: "sequential",
        executor: "model",
        *program({ subject }) {
          const before = yield* references();
          yield* liveAndDie(subject);
          mustBe("the references that are left", (yield* references()) - before, 0);
        },
      },
    ],
  },
  {
    id: "RC-02",
    level: "required",
    owner: ["core", "strategy"],
    rule: "rss MUST grow by one for each counted page that is mapped and shrink by one for each that is unmapped, MUST NOT change for bare frames, and MUST never be negative",
    source: "mm/memory.c do_set_pte, zap_pte_range",
    cases: [
      {
        when: "pages that come and go one by one",
        schedule: "sequential",
        *program({ subject }) {
          const { pageSize, supports, gate } = subject;
          const each = supports.countsPages ? 1 : 0;
          const there = existingPages(subject);
          const before = yield* residentPages();
          const address = yield* succeed("mmap", subject.map());
          for (const page of there) yield* subject.reach(address + page * pageSize);
          yield* mustHaveGrown("touching every page", before, each * there.length);
          if (gate !== undefined) {
            yield* gate.close();
            yield* mustHaveGrown("a mapping that was revoked", before, 0);
            yield* gate.open();
            for (const page of there) yield* subject.reach(address + page * pageSize);
            yield* mustHaveGrown("a mapping that came back", before, each * there.length);
          }
          for (const [index, page] of there.entries()) {
            yield* user.munmap(address + page * pageSize, pageSize);
            const left = there.length - index - 1;
            yield* mustHaveGrown(`a mapping with ${left} pages left`, before, each * left);
          }
        },
      },
      {
        when: "a whole life",
        schedule: "sequential",
        *program({ subject }) {
          const before = yield* residentPages();
          yield* liveAndDie(subject);
          yield* mustHaveGrown("mappings that are gone", before, 0);
        },
      },
      watchedResidentCase,
    ],
  },
  {
    id: "RC-03",
    level: "required",
    owner: ["strategy", "driver"],
    rule: "counted pages that their owner frees while they are mapped MUST live until the last entry goes; bare frames MUST be taken from user space before they are freed",
    source: "net/packet/af_packet.c packet_set_ring; drivers/usb/mon/mon_bin.c; CVE-2024-0582",
    cases: [
      {
        when: "counted pages",
        schedule: "sequential",
        provokes: [],
        excluded: (stage) => countsNothing(stage) ?? cannotFree(stage),
        *program({ subject }) {
          const { pageSize, pages } = subject;
          const address = yield* succeed("mmap", subject.map());
          const there = existingPages(subject);
          for (const page of there) yield* subject.reach(address + page * pageSize);
          yield* subject.free?.() ?? nothing();
          yield* takeMemory(pageSize);
          for (const page of there) {
            const seen = yield* subject.reach(address + page * pageSize);
            mustBe(`page ${page}, freed by its owner`, seen, subject.markOf(page));
          }
          mustBe("munmap", yield* user.munmap(address, pages * pageSize), 0);
        },
      },
      {
        when: "counted pages, whose memory goes with the last entry",
        schedule: "sequential",
        provokes: [],
        executor: "model",
        excluded: (stage) => countsNothing(stage) ?? cannotFree(stage),
        *program({ subject }) {
          const { pageSize, pages } = subject;
          const unmapped = yield* references();
          const address = yield* succeed("mmap", subject.map());
          for (const page of existingPages(subject)) yield* subject.reach(address + page * pageSize);
          yield* subject.free?.() ?? nothing();
          yield* user.munmap(address, pages * pageSize);
          const freed = unmapped - (yield* references());
          must(freed > 0, "no memory has come back after the last entry went");
        },
      },
      {
        when: "bare frames",
        schedule: "sequential",
        provokes: [],
        excluded: (stage) => {
          if (stage.subject.supports.countsPages) return "its pages are counted";
          return cannotFree(stage);
        },
        *program({ subject }) {
          const { pageSize, pages } = subject;
          const address = yield* succeed("mmap", subject.map());
          for (const page of existingPages(subject)) yield* subject.reach(address + page * pageSize);
          yield* subject.free?.() ?? nothing();
          yield* takeMemory(pageSize);
          for (let page = 0; page < pages; page++) {
            const at = address + page * pageSize;
            mustBe(`a load from freed page ${page}`, yield* user.load(at), SIGBUS);
            mustBe(`a store to freed page ${page}`, yield* user.store(at, 1), SIGBUS);
          }
        },
      },
      {
        when: "an owner that frees while others map and touch",
        schedule: "racy",
        provokes: [],
        excluded: cannotFree,
        *program({ subject }) {
          const [first = 0, second = first] = existingPages(subject);
          const other = yield* user.thread(function* () {
            const address = yield* subject.map();
            // A device that is gone cannot be mapped.
            if (isError(address)) return;
            for (const page of [first, second]) {
              const seen = yield* user.load(address + page * subject.pageSize);
              if (!isTrap(seen)) mustBe(`page ${page} of a buffer`, seen, subject.markOf(page));
            }
          }, "mapper");
          yield* subject.free?.() ?? nothing();
          yield* takeMemory(subject.pageSize);
          yield* user.join(other);
        },
      },
    ],
  },
  {
    id: "RC-04",
    level: "required",
    owner: ["strategy", "core", "driver"],
    rule: "whoever took a reference and then fails MUST give it back, once",
    source: "mm/memory.c do_read_fault, do_cow_fault; mm/gup.c",
    cases: [
      {
        when: "faults that fail",
        schedule: "sequential",
        executor: "model",
        *program({ subject }) {
          const { pageSize, pages } = subject;
          const before = yield* references();
          const address = yield* succeed("mmap", subject.map());
          const whole = yield* references();
          for (let round = 0; round < 3; round++) {
            for (const hole of subject.holes) yield* user.load(address + hole * pageSize);
            if (subject.resize === undefined) continue;
            yield* subject.resize(1);
            for (let page = 1; page < pages; page++) {
              mustBe("a load past the end", yield* user.load(address + page * pageSize), SIGBUS);
            }
            mustBe("the references that failed faults hold", (yield* references()) - whole, 0);
            yield* subject.resize(pages);
          }
          yield* user.munmap(address, pages * pageSize);
          mustBe("the references that are left", (yield* references()) - before, 0);
        },
      },
      {
        when: "a page that finds no page table, or no copy",
        schedule: "sequential",
        executor: "model",
        kinds: "one",
        *program() {
          for (const sharing of ["shared", "private"] as const) {
            let [refusals, asked] = [0, 0];
            const device = yield* ownDevice({
              ops: ({ kernel, machine, pages }) => ({
                nopage({ pgoff }) {
                  const page = kernel.pages.handOver(pages[pgoff] ?? (0 as Page));
                  // The first two tries find no memory: one for a load, one for a store.
                  if (asked++ % 2 === 1) return page;
                  const { tables } = machine;
                  const { mayAllocate } = tables;
                  tables.mayAllocate = () => {
                    refusals++;
                    tables.mayAllocate = mayAllocate;
                    return false;
                  };
                  return page;
                },
              }),
            });
            const { address, pages } = yield* device.mapped({ sharing });
            mustReach("a load", yield* user.load(address));
            must(isTrap(yield* user.store(address, 7)) === false, "a store traps");
            must(refusals <= 4, `memory was refused ${refusals} times`);
            const held = sharing === "shared" ? [1, 0, 0, 0] : [0, 0, 0, 0];
            mustBe(`references beside the driver's own, ${sharing}`, device.extraReferences(), held);
            yield* user.munmap(address, pages * device.machine.geometry.pageSize);
            mustBe("the same after munmap", device.extraReferences(), [0, 0, 0, 0]);
            yield* device.release();
          }
        },
      },
      {
        when: "a device that can hold only some of the pages",
        schedule: "sequential",
        executor: "model",
        about: ["pinning"],
        *program({ subject, pinner }) {
          const { pageSize, pages } = subject;
          if (pinner === undefined) return;
          const address = yield* succeed("mmap", subject.map());
          for (let page = 0; page < pages; page++) yield* subject.reach(address + page * pageSize);
          yield* user.munmap(address + (pages - 1) * pageSize, pageSize);
          const before = yield* references();
          const { pinned: charged } = yield* user.memoryStatus();
          for (let round = 0; round < 3; round++) {
            const pinned = yield* pinner.pin(address, pages, "write");
            if (typeof pinned !== "number") yield* pinner.unpin(pinned);
          }
          mustBe("the references that are left", (yield* references()) - before, 0);
          mustBe("VmPin afterwards", (yield* user.memoryStatus()).pinned, charged);
          mustBe("the pages that are still held", yield* pinner.held(), 0);
        },
      },
      ...ghostCases,
    ],
  },
  {
    id: "RC-05",
    level: "model-only",
    owner: ["core", "strategy"],
    rule: "a count of references that is at its limit MUST refuse one more and MUST NOT wrap; a fault is then SIGBUS",
    source: "mm/gup.c try_get_folio, try_grab_page; CVE-2019-11487",
    cases: [
      {
        when: "",
        schedule: "sequential",
        executor: "model",
        excluded: (stage) => {
          if (stage.subject.supports.populate === "eager")
            return "it maps at mmap, before its pages are known";
          return countsNothing(stage);
        },
        *program({ subject }) {
          const [page = 0] = existingPages(subject);
          const address = yield* succeed("mmap", subject.map());
          const at = address + page * subject.pageSize;
          yield* subject.reach(at);
          const frame = yield* frameAt(at);
          yield* subject.gate?.close() ?? nothing();
          yield* subject.gate?.open() ?? nothing();
          const before = yield* setReferences(frame, SATURATED);
          mustBe("a load from a page with all references taken", yield* user.load(at), SIGBUS);
          mustBe("its count", yield* setReferences(frame, before), SATURATED);
          mustBe("the page, once there are references again", yield* subject.reach(at), subject.markOf(page));
        },
      },
      ...saturationCases,
    ],
  },
];

/** Why a law in which the owner frees the memory does not apply. */
function cannotFree({ subject }: { readonly subject: Subject }): string | undefined {
  return subject.free === undefined ? "its memory cannot be freed" : undefined;
}

/** Maps the object in several ways, touches it, forks, cuts, moves, revokes, and unmaps everything. */
function* liveAndDie(subject: Subject): Steps<void> {
  const { pageSize, pages } = subject;
  const length = pages * pageSize;
  const shared = yield* succeed("mmap", subject.map());
  const readOnly = yield* succeed("a second mmap", subject.map({ protection: VM_READ }));
  for (const page of existingPages(subject)) {
    yield* subject.reach(shared + page * pageSize);
    yield* subject.reach(readOnly + page * pageSize);
  }
  const copy = subject.supports.privateWritable
    ? yield* succeed("a private mmap", subject.map({ sharing: "private" }))
    : undefined;
  if (copy !== undefined) yield* subject.put(copy, 7);
  const child = yield* user.fork(function* () {
    yield* subject.reach(shared);
    yield* user.munmap(shared + pageSize, pageSize);
  });
  if (typeof child !== "number") yield* user.join(child);
  yield* user.munmap(shared, pageSize);
  const last = { address: shared + (pages - 1) * pageSize, oldLength: pageSize, newLength: pageSize };
  const moved = yield* user.mremap({ ...last, moving: "may-move", newAddress: 0x3000_0000 });
  must(!isError(moved), "mremap of a page fails, and must succeed");
  mustBe("the page that was moved", yield* subject.reach(moved), subject.markOf(pages - 1));
  if (subject.gate !== undefined) {
    yield* subject.gate.close();
    yield* subject.gate.open();
    yield* subject.reach(moved);
  }
  yield* user.munmap(moved, pageSize);
  yield* user.munmap(shared, length);
  yield* user.munmap(readOnly, length);
  if (copy !== undefined) yield* user.munmap(copy, length);
}

/** Fills some private memory, so that a frame that was freed is somebody else's by now. */
function* takeMemory(pageSize: number): Steps<void> {
  const protection = VM_READ | 2;
  const address = yield* user.mmap({ length: 4 * pageSize, protection, sharing: "private" });
  for (let page = 0; page < 4; page++) yield* user.store(address + page * pageSize, 0xdead);
}

function* nothing(): Steps<undefined> {
  return undefined;
}
