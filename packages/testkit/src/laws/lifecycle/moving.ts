import { EBUSY, ENXIO } from "@nopage/core";
import { mustBe, mustFail, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { AnyLaw, Stage } from "../law.ts";
import { cannotFail, failNext } from "../support/failing-hooks.ts";
import { countsOf, mustHaveRun } from "../support/hook-counts.ts";
import { entriesIn, mapPlanted, plantDevice, setOps } from "../support/planted-device.ts";
import { isSmallerThan, move, reserveRange, unmap } from "../support/reserved-range.ts";
import { mustBeUnmapped, mustShow } from "../support/shown-pages.ts";
import { forked } from "./fork.ts";

/** What becomes of a mapping that mremap moves. */
export const movingLaws: readonly AnyLaw[] = [
  {
    id: "LC-12",
    level: "required",
    owner: ["core", "strategy"],
    rule: "mremap to another place MUST open the new area, move the entries, flush, ask the mremap hook and only then close the old area; the pages MUST be at the new place alone",
    source: "mm/mremap.c move_vma, move_page_tables; mm/mmap.c copy_vma; CVE-2026-23056",
    cases: [
      {
        when: "whole, twice",
        schedule: "sequential",
        *program({ subject }) {
          const { pages } = subject;
          let address = yield* succeed("mmap", subject.map());
          yield* mustShow(subject, "the mapping", { address, first: 0, pages });
          for (const what of ["the moved mapping", "the mapping that moved again"]) {
            const before = yield* countsOf(subject);
            const old = address;
            address = yield* move(subject, address, pages);
            if (subject.counts !== undefined) {
              yield* mustHaveRun(subject, "a move", before, { opens: 1, closes: 1 });
            }
            yield* mustBeUnmapped(subject, `where ${what} was`, old, pages);
            yield* mustShow(subject, what, { address, first: 0, pages });
          }
          yield* unmap(subject, address, pages);
          yield* mustBeUnmapped(subject, "the range that was unmapped", address, pages);
        },
      },
      {
        when: "a page that was never touched",
        schedule: "sequential",
        excluded: isSmallerThan(3),
        *program({ subject }) {
          const { pages, pageSize } = subject;
          const address = yield* succeed("mmap", subject.map());
          const before = yield* countsOf(subject);
          const part = yield* move(subject, address + pageSize, 1);
          if (subject.counts !== undefined) {
            // The old area is cut twice for the piece that went, which is closed.
            yield* mustHaveRun(subject, "the move of a page inside", before, { opens: 3, closes: 1 });
          }
          yield* mustShow(subject, "the moved page", { address: part, first: 1, pages: 1 });
          yield* mustShow(subject, "the page below", { address, first: 0, pages: 1 });
          const above = { address: address + 2 * pageSize, first: 2, pages: pages - 2 };
          yield* mustShow(subject, "the pages above", above);
          yield* mustBeUnmapped(subject, "where the page was", address + pageSize, 1);
        },
      },
      {
        when: "by a forked child, and by its parent afterwards",
        schedule: "sequential",
        *program({ subject }) {
          const { pages } = subject;
          const address = yield* succeed("mmap", subject.map());
          yield* mustShow(subject, "the mapping", { address, first: 0, pages });
          yield* forked(function* () {
            const moved = yield* move(subject, address, pages);
            yield* mustShow(subject, "what the child moved", { address: moved, first: 0, pages });
            yield* mustBeUnmapped(subject, "where the child's mapping was", address, pages);
          });
          yield* mustShow(subject, "the parent's mapping", { address, first: 0, pages });
          const moved = yield* move(subject, address, pages);
          yield* mustShow(subject, "what the parent moved", { address: moved, first: 0, pages });
        },
      },
      {
        when: "in the order that the driver sees",
        schedule: "sequential",
        executor: "model",
        *program({ subject }) {
          const { pageSize } = subject;
          const seen: string[] = [];
          const to = yield* reserveRange(subject, 2);
          let from = 0;
          const device = yield* plantDevice("/dev/law", 2, ({ machine, kernel, thread }, own) => {
            const note = (hook: string, start: number): void => {
              const { mm } = thread;
              const cached = machine.tlbs.filter(
                (tlb) => tlb.space === mm.id && (tlb.lookup(from) !== 0 || tlb.lookup(from + pageSize) !== 0),
              );
              const place = start === to ? "the new area" : "the old area";
              const entries = `${entriesIn(mm, from, 2)} old entries, ${entriesIn(mm, to, 2)} new`;
              seen.push(`${hook} of ${place}: ${entries}, ${cached.length} stale TLBs`);
            };
            return {
              *mmap(_file, area) {
                from = area.start;
                setOps(area, {
                  open: ({ start }) => note("open", start),
                  close: ({ start }) => note("close", start),
                  mremap({ start }) {
                    note("mremap", start);
                    return 0;
                  },
                });
                const request = {
                  address: area.start,
                  pfn: own.frame(0),
                  pages: 2,
                  leaves: "single",
                } as const;
                return yield* kernel.mappings.remapPfnRange(area, request);
              },
            };
          });
          const address = yield* succeed("mmap", mapPlanted(device, 2 * pageSize));
          for (const page of [0, 1]) yield* user.load(address + page * pageSize);
          const length = 2 * pageSize;
          const whole = { address, oldLength: length, newLength: length };
          mustBe("mremap", yield* user.mremap({ ...whole, moving: "may-move", newAddress: to }), to);
          mustBe("what the driver sees of a move", seen, [
            "open of the new area: 2 old entries, 0 new, 1 stale TLBs",
            "mremap of the new area: 0 old entries, 2 new, 0 stale TLBs",
            "close of the old area: 0 old entries, 2 new, 0 stale TLBs",
          ]);
        },
      },
    ],
  },
  {
    id: "LC-13",
    level: "required",
    owner: ["core", "strategy"],
    rule: "when the mremap hook fails, mremap MUST answer its errno, the new area MUST be closed, and the old one MUST work as before",
    source: "mm/mremap.c move_vma; fs/aio.c aio_ring_mremap",
    cases: [
      ...(["the process that mapped it", "a forked child"] as const).map((who) => ({
        when: who,
        schedule: "sequential" as const,
        excluded: cannotFail,
        *program({ subject }: Stage): Steps<void> {
          const { pages, pageSize } = subject;
          const address = yield* succeed("mmap", subject.map());
          yield* mustShow(subject, "the mapping", { address, first: 0, pages: pages - 1 });
          yield* who === "a forked child" ? forked(refused) : refused();

          function* refused(): Steps<void> {
            const newAddress = yield* reserveRange(subject, pages);
            const length = pages * pageSize;
            const request = { address, oldLength: length, newLength: length, newAddress };
            for (const errno of [EBUSY, ENXIO]) {
              const before = yield* countsOf(subject);
              yield* failNext(subject, "mremap", errno);
              const answer = yield* user.mremap({ ...request, moving: "may-move" });
              mustFail("mremap whose hook fails", answer, errno);
              if (subject.counts !== undefined) {
                yield* mustHaveRun(subject, "a move that failed", before, { opens: 1, closes: 1 });
              }
              yield* mustShow(subject, "the mapping that did not move", { address, first: 0, pages });
              yield* mustBeUnmapped(subject, "where it did not go", newAddress, pages);
            }
            const moved = yield* move(subject, address, pages);
            yield* mustShow(subject, "the mapping that moved at last", { address: moved, first: 0, pages });
          }
        },
      })),
    ],
  },
];
