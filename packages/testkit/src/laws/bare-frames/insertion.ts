import { EINVAL, type Pfn, type PfnOutcome, VM_MIXEDMAP, VM_PFNMAP, VM_READ, VM_WRITE } from "@nopage/core";
import { must, mustBe, mustFail, mustReach, SIGBUS, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { Subject } from "../../subject/subject.ts";
import { insertingFramesCase } from "../eager/insertion-races.ts";
import type { AnyLaw, LawCase } from "../law.ts";
import { areaAt, mustHaveGrown, references, residentPages } from "../support/accounts.ts";
import { existingPages } from "../support/existing-pages.ts";
import { ownDevice } from "../support/own-device.ts";
import { mapPlanted, plantDevice, setOps } from "../support/planted-device.ts";
import { countsItsPages } from "./bare-frames.ts";

const PATH = "/dev/law";

/** How bare frames get into a page table, and what is counted of them. */
export const insertionLaws: readonly AnyLaw[] = [
  {
    id: "PF-01",
    level: "capability",
    owner: ["strategy", "core"],
    rule: "a bare frame MUST be mapped under exactly one of VM_PFNMAP and VM_MIXEDMAP, of which the latter shows none with a struct page; a mapping that may get private copies MUST be refused with EINVAL when it is made, unless it can have them",
    source: "mm/memory.c vmf_insert_pfn_prot; CVE-2024-39497",
    cases: [
      {
        when: "a strategy that refuses copies",
        schedule: "sequential",
        excluded: ({ subject }) =>
          subject.supports.privateWritable ? "it accepts private writable mappings" : undefined,
        *program({ subject }) {
          mustFail("a private writable mapping", yield* subject.map({ sharing: "private" }), EINVAL);
          const readable = subject.map({ sharing: "private", protection: VM_READ });
          mustFail("a private mapping that mprotect could make writable", yield* readable, EINVAL);
        },
      },
      {
        when: "a strategy that accepts them",
        schedule: "sequential",
        excluded: ({ subject }) =>
          subject.supports.privateWritable ? undefined : "it refuses private writable mappings",
        *program({ subject }) {
          const shared = yield* succeed("mmap", subject.map());
          const own = yield* succeed("a private writable mapping", subject.map({ sharing: "private" }));
          for (const page of existingPages(subject)) {
            const at = page * subject.pageSize;
            mustBe(`page ${page} before the store`, yield* subject.reach(own + at), subject.markOf(page));
            mustReach(`a private store to page ${page}`, yield* subject.put(own + at, 7 + page));
            mustBe(`page ${page} after the store`, yield* subject.reach(own + at), 7 + page);
            mustBe(`page ${page} of the object`, yield* subject.reach(shared + at), subject.markOf(page));
          }
        },
      },
      ...[0, VM_PFNMAP | VM_MIXEDMAP].map((flags) => ({
        when: flags === 0 ? "an area with neither flag" : "an area with both flags",
        schedule: "sequential" as const,
        executor: "model" as const,
        provokes: "area-rule" as const,
        kinds: "one" as const,
        *program({ subject: { pageSize } }: { readonly subject: Subject }): Steps<void> {
          const device = yield* plantDevice(PATH, 1, ({ kernel }, own) => ({
            *mmap(_file, area) {
              area.flags |= flags;
              const insert: PfnOutcome = yield* kernel.mappings.insertPfn(area, area.start, own.frame(0));
              mustBe("the answer of insertPfn", insert.kind, "sigbus");
              return setOps(area, {});
            },
          }));
          const address = yield* succeed("mmap", mapPlanted(device, pageSize));
          mustBe("a load from what was not inserted", yield* user.load(address), SIGBUS);
        },
      })),
      {
        when: "a frame with a struct page under VM_MIXEDMAP",
        schedule: "sequential",
        executor: "model",
        provokes: "page-kind",
        kinds: "one",
        *program() {
          const device = yield* ownDevice({
            mmap: (area) => {
              area.flags |= VM_MIXEDMAP;
              return 0;
            },
            ops: ({ pages }) => ({ nopagePfn: () => ({ kind: "pfn", pfn: (pages[0] ?? 0) as Pfn }) }),
          });
          const { address } = yield* device.mapped();
          mustBe("a load from a bare frame with a struct page", yield* user.load(address), SIGBUS);
          yield* device.release();
        },
      },
      {
        when: "an area that may get private copies",
        schedule: "sequential",
        executor: "model",
        kinds: "one",
        provokes: "area-rule",
        *program() {
          const device = yield* ownDevice({
            mmap: (area) => {
              area.flags |= VM_PFNMAP;
              return 0;
            },
            ops: ({ pages }) => ({ nopagePfn: () => ({ kind: "pfn", pfn: (pages[0] ?? 0) as Pfn }) }),
          });
          const { address } = yield* device.mapped({ sharing: "private" });
          mustBe("a load from a bare frame that could be copied", yield* user.load(address), SIGBUS);
          yield* device.release();
        },
      },
    ],
  },
  {
    id: "PF-02",
    level: "required",
    owner: ["core", "strategy"],
    rule: "an insertion MUST answer that it is done, SIGBUS outside the area and for a frame that the machine has not, and OOM without a page table",
    source: "mm/memory.c vmf_insert_pfn_prot, insert_pfn; mail of 1997 (its hook remaps and answers nothing)",
    cases: [
      {
        when: "every answer",
        schedule: "sequential",
        executor: "model",
        kinds: "one",
        *program({ subject: { pageSize } }) {
          const answers: string[] = [];
          const device = yield* plantDevice(PATH, 2, ({ kernel, machine }, own) => ({
            *mmap(_file, area) {
              area.flags |= VM_PFNMAP;
              const { mappings } = kernel;
              const { mayAllocate } = machine.tables;
              machine.tables.mayAllocate = () => false;
              answers.push((yield* mappings.insertPfn(area, area.start, own.frame(0))).kind);
              machine.tables.mayAllocate = mayAllocate;
              answers.push((yield* mappings.insertPfn(area, area.start, own.frame(0))).kind);
              answers.push((yield* mappings.insertPfn(area, area.end, own.frame(1))).kind);
              const beyond = machine.pfnLimit as Pfn;
              answers.push((yield* mappings.insertPfn(area, area.start, beyond)).kind);
              return setOps(area, { nopagePfn: () => ({ kind: "pfn", pfn: beyond }) });
            },
          }));
          const address = yield* succeed("mmap", mapPlanted(device, 2 * pageSize));
          mustBe("the answers of insertPfn", answers, ["oom", "installed", "sigbus", "sigbus"]);
          mustReach("a load of what was inserted", yield* user.load(address));
          mustBe(
            "a load whose handler answers an impossible frame",
            yield* user.load(address + pageSize),
            SIGBUS,
          );
          must(!(yield* user.pagemap(address + pageSize, 1)).includes(true), "an entry was left behind");
        },
      },
      {
        when: "every page of a strategy, with a neighbour that is past the end",
        schedule: "sequential",
        excluded: (stage) =>
          countsItsPages(stage) ?? (stage.subject.resize === undefined ? "its length is fixed" : undefined),
        *program({ subject }) {
          const { pageSize, pages } = subject;
          const address = yield* succeed("mmap", subject.map());
          yield* succeed("shrinking the object", subject.resize?.(pages - 1) ?? none());
          const last = address + (pages - 1) * pageSize;
          mustBe("a load past the end", yield* user.load(last), SIGBUS);
          mustBe("the page before it", yield* subject.reach(last - pageSize), subject.markOf(pages - 2));
          yield* succeed("growing the object", subject.resize?.(pages) ?? none());
          mustBe("the last page", yield* subject.reach(last), subject.markOf(pages - 1));
        },
      },
      ...[-1, 0.5, Number.NaN].map(
        (pfn): LawCase => ({
          when: `${pfn}, which is no frame number`,
          schedule: "sequential",
          executor: "model",
          kinds: "one",
          provokes: "page-kind",
          *program({ subject: { pageSize } }) {
            let answer = "";
            const device = yield* plantDevice(PATH, 1, ({ kernel }) => ({
              *mmap(_file, area) {
                area.flags |= VM_PFNMAP;
                answer = (yield* kernel.mappings.insertPfn(area, area.start, pfn as Pfn)).kind;
                return setOps(area, {});
              },
            }));
            const address = yield* succeed("mmap", mapPlanted(device, pageSize));
            mustBe("the answer of insertPfn", answer, "sigbus");
            mustBe("a load from what was not inserted", yield* user.load(address), SIGBUS);
          },
        }),
      ),
    ],
  },
  {
    id: "PF-03",
    level: "required",
    owner: ["strategy", "core"],
    rule: "an occupied place MUST keep the frame that it shows, without an error; so what is shown MUST be zapped before it is changed",
    source: "mm/memory.c insert_pfn",
    cases: [
      {
        when: "two insertions, and a zap",
        schedule: "sequential",
        executor: "model",
        kinds: "one",
        *program({ subject: { pageSize, markOf } }) {
          const device = yield* plantDevice(PATH, 2, ({ kernel }, own) => ({
            *mmap(_file, area) {
              area.flags |= VM_PFNMAP;
              for (const page of [0, 1]) {
                const { kind } = yield* kernel.mappings.insertPfn(area, area.start, own.frame(page));
                mustBe(`the answer of insertion ${page}`, kind, "installed");
              }
              return setOps(area, { nopagePfn: () => ({ kind: "pfn", pfn: own.frame(1) }) });
            },
          }));
          const address = yield* succeed("mmap", mapPlanted(device, pageSize));
          mustBe("what is shown after two insertions", yield* user.load(address), markOf(0));
          yield* user.kernel(function* ({ thread, kernel }) {
            const area = thread.mm.areas.find(address);
            yield* thread.mm.lock.read();
            if (area !== undefined) yield* kernel.mappings.zapVma(area, area.start, area.end);
            thread.mm.lock.unlockRead();
          });
          mustBe("what is shown after a zap", yield* user.load(address), markOf(1));
        },
      },
      {
        when: "an object that shrinks",
        schedule: "sequential",
        excluded: ({ subject: { resize } }) => (resize === undefined ? "its length is fixed" : undefined),
        *program({ subject }) {
          const { pageSize, pages } = subject;
          const address = yield* succeed("mmap", subject.map());
          for (const page of existingPages(subject)) yield* subject.reach(address + page * pageSize);
          yield* succeed("shrinking the object", subject.resize?.(1) ?? none());
          must(
            !(yield* user.pagemap(address + pageSize, pages - 1)).includes(true),
            "a page that went is shown",
          );
          mustBe("a load from a page that went", yield* user.load(address + pageSize), SIGBUS);
          mustBe("the page that stayed", yield* subject.reach(address), subject.markOf(0));
        },
      },
      insertingFramesCase,
    ],
  },
  {
    id: "PF-04",
    level: "capability",
    owner: ["core", "strategy"],
    rule: "a bare frame MUST NOT count in rss, and MUST NOT be referenced, even where it has a struct page",
    source: "mm/memory.c insert_pfn, vm_normal_page; the mail of 2004 would have counted rss",
    cases: [
      {
        when: "rss",
        schedule: "sequential",
        excluded: countsItsPages,
        *program({ subject }) {
          const before = yield* residentPages();
          const address = yield* succeed("mmap", subject.map());
          for (const page of existingPages(subject)) yield* subject.reach(address + page * subject.pageSize);
          yield* mustHaveGrown("touching every page", before, 0);
          mustBe("Rss of the area", (yield* areaAt(address)).rss, 0);
          yield* user.munmap(address, subject.pages * subject.pageSize);
          yield* mustHaveGrown("a mapping that is gone", before, 0);
        },
      },
      {
        when: "references",
        schedule: "sequential",
        executor: "model",
        excluded: countsItsPages,
        *program({ subject }) {
          const before = yield* references();
          const address = yield* succeed("mmap", subject.map());
          for (const page of existingPages(subject)) yield* subject.reach(address + page * subject.pageSize);
          mustBe("the references that the mapping holds", (yield* references()) - before, 0);
        },
      },
    ],
  },
  {
    id: "PF-05",
    level: "required",
    owner: ["strategy"],
    rule: "the flags of an area MUST be set by the mmap hook, and MUST NOT change at a fault",
    source: "comment in drivers/vfio/pci/vfio_pci_core.c vfio_pci_core_mmap",
    cases: [
      {
        when: "",
        schedule: "sequential",
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          const before = (yield* areaAt(address)).flags.join(" ");
          for (let page = 0; page < subject.pages; page++) {
            yield* user.load(address + page * subject.pageSize);
            yield* user.store(address + page * subject.pageSize + 8, 1);
          }
          mustBe("VmFlags after every page was touched", (yield* areaAt(address)).flags.join(" "), before);
          if (subject.gate === undefined) return;
          yield* subject.gate.close();
          yield* subject.gate.open();
          for (const page of existingPages(subject)) yield* subject.reach(address + page * subject.pageSize);
          mustBe("VmFlags after a revocation", (yield* areaAt(address)).flags.join(" "), before);
        },
      },
    ],
  },
  {
    id: "PF-06",
    level: "required",
    owner: ["strategy"],
    rule: "as long as the memory is not replaced, one offset MUST be one and the same place for every mapping, before and after a revocation",
    source: "the nopfn patch of 2006 (mail), whose handler must answer the same pfn each time",
    cases: [
      {
        when: "",
        schedule: "sequential",
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* succeed("mmap", subject.map());
          const there = existingPages(subject);
          for (const page of there) {
            mustReach(`a store to page ${page}`, yield* subject.put(address + page * pageSize, 100 + page));
          }
          yield* mustHold(subject, "the same mapping", address, 100);
          yield* mustHold(subject, "another", yield* succeed("mmap", subject.map()), 100);
          if (subject.gate !== undefined) {
            yield* subject.gate.close();
            yield* subject.gate.open();
            yield* mustHold(subject, "the same after a revocation", address, 100);
          }
          yield* user.munmap(address, subject.pages * pageSize);
          const protection = VM_READ | VM_WRITE;
          const again = yield* succeed("mmap", subject.map({ protection, fixedAt: address }));
          yield* mustHold(subject, "one that is made anew", again, 100);
        },
      },
    ],
  },
];

/** Page `i` must hold `first + i`; also as the owner sees it. */
function* mustHold(subject: Subject, what: string, address: number, first: number): Steps<void> {
  for (const page of existingPages(subject)) {
    mustBe(`page ${page} of ${what}`, yield* subject.reach(address + page * subject.pageSize), first + page);
    if (subject.peek === undefined) continue;
    mustBe(`page ${page}, seen by its owner`, yield* subject.peek(page), first + page);
  }
}

function* none(): Steps<number> {
  return 0;
}
