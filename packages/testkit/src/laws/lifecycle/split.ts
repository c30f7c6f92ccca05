import { EBUSY, ENOMEM, ENXIO, VM_READ } from "@nopage/core";
import { mustBe, mustFail, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { Subject } from "../../subject/subject.ts";
import type { AnyLaw } from "../law.ts";
import { cannotFail, failNext } from "../support/failing-hooks.ts";
import { countsOf, mustHaveRun } from "../support/hook-counts.ts";
import { mapPlanted, plantDevice, setOps } from "../support/planted-device.ts";
import { isSmallerThan, move, reserveRange, unmap } from "../support/reserved-range.ts";
import { mustBeUnmapped, mustShow } from "../support/shown-pages.ts";
import { mustHaveAreas } from "./open-close.ts";

/** Where a table of leaves begins on every geometry, and user space may map. */
const TABLE_BEGINS = 0x4000_0000;
/** Pages of a long object, and how many of them lie before the table begins. */
const LONG_PAGES = 24;
const LONG_BEFORE = 16;

/** What becomes of a mapping of which a part goes. */
export const splitLaws: readonly AnyLaw[] = [
  {
    id: "LC-07",
    level: "required",
    owner: ["core"],
    rule: "trimming an end MUST run one open and one close, for exactly the range that goes; what stays MUST keep its area",
    source: "mm/mmap.c __split_vma, do_mas_align_munmap",
    cases: [
      ...(["lower", "upper"] as const).map((end) => ({
        when: `the ${end} end`,
        schedule: "sequential" as const,
        excluded: isSmallerThan(2),
        *program({ subject }: { readonly subject: Subject }): Steps<void> {
          const { pages, pageSize } = subject;
          const address = yield* succeed("mmap", subject.map());
          yield* mustShow(subject, "the mapping", { address, first: 0, pages });
          const before = yield* countsOf(subject);
          const gone = address + (end === "lower" ? 0 : (pages - 1) * pageSize);
          yield* unmap(subject, gone, 1);
          if (subject.counts !== undefined) {
            yield* mustHaveRun(subject, `trimming the ${end} end`, before, { opens: 1, closes: 1 });
          }
          const first = end === "lower" ? 1 : 0;
          const rest = { address: address + first * pageSize, first, pages: pages - 1 };
          yield* mustShow(subject, "what stayed", rest);
          yield* mustBeUnmapped(subject, "what went", gone, 1);
          yield* mustHaveAreas(address, pages * pageSize, 1);
        },
      })),
      ...(["lower", "upper"] as const).map((end) => ({
        when: `the ${end} end, as the driver sees it`,
        schedule: "sequential" as const,
        executor: "model" as const,
        *program({ subject }: { readonly subject: Subject }): Steps<void> {
          const { pageSize } = subject;
          let mapped = 0;
          const opened: number[] = [];
          const closed: number[] = [];
          const ranges: number[] = [];
          const device = yield* plantDevice("/dev/law", 3, () => ({
            mmap(_file, area) {
              mapped = area.id;
              return setOps(area, {
                open: ({ id }) => void opened.push(id),
                close: (going) => {
                  closed.push(going.id);
                  ranges.push(going.start, going.end);
                },
              });
            },
          }));
          const address = yield* succeed("mmap", mapPlanted(device, 3 * pageSize));
          const gone = address + (end === "lower" ? 0 : 2 * pageSize);
          yield* unmap(subject, gone, 1);
          mustBe("the number of areas that open was told of", opened.length, 1);
          mustBe("the areas that close was told of, which open was told of", closed, opened);
          mustBe("the range that close was told of", ranges, [gone, gone + pageSize]);
          const stayed = yield* user.kernel(function* ({ thread }) {
            return thread.mm.areas.find(address + pageSize)?.id;
          });
          mustBe("the area of the pages that stay", stayed, mapped);
        },
      })),
    ],
  },
  {
    id: "LC-08",
    level: "required",
    owner: ["core"],
    rule: "punching a hole MUST run two opens and one close and leave two areas, each with its pages",
    source: "mm/mmap.c do_mas_align_munmap",
    cases: [
      {
        when: "",
        schedule: "sequential",
        excluded: isSmallerThan(4),
        *program({ subject }) {
          const { pages, pageSize } = subject;
          const address = yield* succeed("mmap", subject.map());
          yield* mustShow(subject, "the mapping", { address, first: 0, pages: 2 });
          const before = yield* countsOf(subject);
          yield* unmap(subject, address + pageSize, pages - 2);
          if (subject.counts !== undefined) {
            yield* mustHaveRun(subject, "punching a hole", before, { opens: 2, closes: 1 });
          }
          yield* mustHaveAreas(address, pages * pageSize, 2);
          yield* mustShow(subject, "below the hole", { address, first: 0, pages: 1 });
          const above = { address: address + (pages - 1) * pageSize, first: pages - 1, pages: 1 };
          yield* mustShow(subject, "above the hole", above);
          yield* mustBeUnmapped(subject, "the hole", address + pageSize, pages - 2);
          yield* unmap(subject, address, 1);
          yield* mustShow(subject, "the last piece", above);
          yield* unmap(subject, above.address, 1);
          if (subject.counts !== undefined) {
            yield* mustHaveRun(subject, "unmapping both pieces", before, { opens: 2, closes: 3 });
          }
        },
      },
    ],
  },
  {
    id: "LC-09",
    level: "required",
    owner: ["strategy", "core"],
    rule: "a veto of a split MUST fail every partial munmap, mprotect and mremap with its errno, and an mmap over a part with ENOMEM, and leave the whole mapping usable",
    source: "mm/mmap.c __split_vma; mm/mremap.c move_vma; kernel/events/core.c perf_mmap_may_split",
    cases: [
      {
        when: "",
        schedule: "sequential",
        excluded: (stage) => cannotFail(stage) ?? isSmallerThan(3)(stage),
        *program({ subject }) {
          const { pages, pageSize } = subject;
          const address = yield* succeed("mmap", subject.map());
          yield* mustShow(subject, "the mapping", { address, first: 0, pages });
          const target = yield* reserveRange(subject, 1);
          const other = yield* reserveRange(subject, 1);
          const whole = pages * pageSize;
          const inner = { address: address + pageSize, oldLength: pageSize, newLength: pageSize };
          const shorter = { address, oldLength: whole, newLength: pageSize };
          const moving = { moving: "may-move", newAddress: target } as const;
          const calls: Record<string, () => Steps<number>> = {
            "munmap of the first page": () => user.munmap(address, pageSize),
            "munmap of a page inside": () => user.munmap(address + pageSize, pageSize),
            "munmap of the last page": () => user.munmap(address + whole - pageSize, pageSize),
            "mprotect of the first page": () => user.mprotect(address, pageSize, VM_READ),
            "mprotect of a page inside": () => user.mprotect(address + pageSize, pageSize, VM_READ),
            "mremap to a shorter length": () => user.mremap(shorter),
            "mremap of a page inside to another place": () => user.mremap({ ...inner, ...moving }),
            "mremap to a shorter length at another place": () => user.mremap({ ...shorter, ...moving }),
            "mremap of other memory onto a page inside": () =>
              user.mremap({ ...inner, address: other, moving: "may-move", newAddress: inner.address }),
          };
          const before = yield* countsOf(subject);
          for (const errno of [EBUSY, ENXIO]) {
            for (const [what, call] of Object.entries(calls)) {
              yield* failNext(subject, "may-split", errno);
              mustFail(`${what}, against a veto`, yield* call(), errno);
              yield* mustHaveAreas(address, whole, 1);
              yield* mustShow(subject, `the mapping after ${what} was vetoed`, { address, first: 0, pages });
            }
          }
          yield* failNext(subject, "may-split", EBUSY);
          const over = { length: pageSize, protection: VM_READ, sharing: "private" } as const;
          const mapped = user.mmap({ ...over, address: inner.address, placement: "fixed" });
          // mmap has one word for whatever keeps it from clearing its place (`mmap_region`).
          mustFail("mmap over a page inside, against a veto", yield* mapped, ENOMEM);
          yield* mustShow(subject, "the mapping after mmap was vetoed", { address, first: 0, pages });
          if (subject.counts !== undefined) {
            yield* mustHaveRun(subject, "splits that were vetoed", before, { opens: 0, closes: 0 });
          }
          yield* failNext(subject, "may-split", EBUSY);
          yield* unmap(subject, address, pages);
        },
      },
    ],
  },
  {
    id: "LC-10",
    level: "required",
    owner: ["strategy"],
    rule: "the object's page MUST be found by the fault's offset: after any cut or move, each page MUST show what it showed before",
    source: "include/linux/pagemap.h linear_page_index; drivers/usb/mon/mon_bin.c mon_bin_vma_fault",
    cases: [
      {
        when: "cut at the front",
        schedule: "sequential",
        about: ["mapping", "mirroring"],
        excluded: isSmallerThan(3),
        *program({ subject }) {
          const { pages, pageSize } = subject;
          const address = yield* succeed("mmap", subject.map());
          for (let first = 1; first < pages; first++) {
            yield* unmap(subject, address + (first - 1) * pageSize, 1);
            const rest = { address: address + first * pageSize, first, pages: pages - first };
            yield* mustShow(subject, `what is left without ${first} pages`, rest);
          }
        },
      },
      {
        when: "cut at the front, and touched only then",
        schedule: "sequential",
        about: ["mapping", "mirroring"],
        excluded: isSmallerThan(2),
        *program({ subject }) {
          const { pages, pageSize } = subject;
          const address = yield* succeed("mmap", subject.map());
          yield* unmap(subject, address, pages - 1);
          const last = { address: address + (pages - 1) * pageSize, first: pages - 1, pages: 1 };
          yield* mustShow(subject, "the last page", last);
        },
      },
      {
        when: "a long object, across the end of a table of leaves",
        schedule: "sequential",
        excluded: ({ subject }) => (subject.long === undefined ? "it has no long object" : undefined),
        *program({ subject }) {
          const { long, pageSize } = subject;
          if (long === undefined) return;
          const address = TABLE_BEGINS - LONG_BEFORE * pageSize;
          yield* succeed("mmap of a long object", long.map(LONG_PAGES, address));
          yield* mustShowLong(subject, "a long object", address, 0);
          const first = LONG_BEFORE - 1;
          yield* unmap(subject, address, first);
          yield* mustShowLong(subject, "what is left of a long object", address + first * pageSize, first);
          yield* unmap(subject, address + first * pageSize, LONG_PAGES - first);
          yield* long.free();
        },
      },
      {
        when: "split by mprotect",
        schedule: "sequential",
        about: ["mapping", "mirroring"],
        excluded: isSmallerThan(3),
        *program({ subject }) {
          const { pages, pageSize } = subject;
          const address = yield* succeed("mmap", subject.map());
          yield* succeed("mprotect", user.mprotect(address + pageSize, pageSize, VM_READ));
          yield* mustShow(subject, "the three pieces", { address, first: 0, pages });
        },
      },
      {
        when: "mapped from each page on",
        schedule: "sequential",
        *program({ subject }) {
          for (let first = 0; first < subject.pages; first++) {
            const address = yield* succeed("mmap", subject.map({ first }));
            const pages = subject.pages - first;
            yield* mustShow(subject, `mapped from page ${first} on`, { address, first, pages });
          }
        },
      },
      {
        when: "moved, whole and in part",
        schedule: "sequential",
        excluded: isSmallerThan(4),
        *program({ subject }) {
          const { pages, pageSize } = subject;
          const first = 1;
          let address = yield* succeed("mmap", subject.map({ first, pages: pages - first }));
          address = yield* move(subject, address, pages - first);
          const part = yield* move(subject, address + pageSize, 1);
          yield* mustShow(subject, "the moved part", { address: part, first: first + 1, pages: 1 });
          yield* mustShow(subject, "below the moved part", { address, first, pages: 1 });
          const above = { address: address + 2 * pageSize, first: first + 2, pages: pages - first - 2 };
          yield* mustShow(subject, "above the moved part", above);
        },
      },
      {
        when: "cut and moved while it is revoked",
        schedule: "sequential",
        excluded: (stage) => (stage.subject.gate === undefined ? "it has no gate" : isSmallerThan(3)(stage)),
        *program({ subject }) {
          const { pages, pageSize, gate } = subject;
          const address = yield* succeed("mmap", subject.map());
          yield* mustShow(subject, "the mapping", { address, first: 0, pages });
          if (gate !== undefined) yield* gate.close();
          yield* unmap(subject, address, 1);
          const last = yield* move(subject, address + (pages - 1) * pageSize, 1);
          if (gate !== undefined) yield* gate.open();
          yield* mustShow(subject, "the moved page", { address: last, first: pages - 1, pages: 1 });
          const middle = { address: address + pageSize, first: 1, pages: pages - 2 };
          yield* mustShow(subject, "what stayed", middle);
        },
      },
    ],
  },
];

/** A long object's pages from `first` on must show themselves from `address` on; it has no holes. */
function* mustShowLong(subject: Subject, what: string, address: number, first: number): Steps<void> {
  for (let page = first; page < LONG_PAGES; page++) {
    const seen = yield* subject.reach(address + (page - first) * subject.pageSize);
    mustBe(`${what}: object page ${page}`, seen, subject.markOf(page));
  }
}
