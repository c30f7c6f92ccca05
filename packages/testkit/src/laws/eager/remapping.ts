import {
  EAGAIN,
  EINVAL,
  ENOMEM,
  FailingAllocations,
  type FaultOutcome,
  installed,
  type Pfn,
  type Sleepable,
  sigbus,
} from "@nopage/core";
import { claimMarkedWindow } from "../../marked-window.ts";
import { must, mustBe, mustFail, mustReach, succeed } from "../../program/expect.ts";
import { user } from "../../program/user.ts";
import { leafClaims } from "../claims.ts";
import type { AnyLaw, LawCase, Stage } from "../law.ts";
import { areaAt, mustHaveFaulted, mustHaveFlags } from "../support/accounts.ts";
import { existingPages } from "../support/existing-pages.ts";
import { gateOf } from "../support/gate-of.ts";
import { ownDevice } from "../support/own-device.ts";
import { entriesIn } from "../support/planted-device.ts";
import { mustBeUnmapped, mustShow } from "../support/shown-pages.ts";
import { remapInsideLeafCase, remapOverLeafCases, remapWithoutTablesCase } from "./large-leaves.ts";

/** A multiple of what one leaf table maps, on every geometry: pages before and after it need two of them. */
const TABLE_BOUNDARY = 0x2000_0000;

/** Refuses page tables while it is switched on. */
const noTables = new FailingAllocations((asked) => asked.at(-1) === "page-table", "off");

/** Bare frames that are mapped all at once. */
export const remapLaws: readonly AnyLaw[] = [
  {
    id: "RE-01",
    level: "capability",
    owner: ["strategy"],
    rule: "who maps everything at mmap MUST leave no page that faults; who maps at the first touch MUST leave every page to it; large leaves MUST be made if, and only if, they are claimed",
    source: "mm/memory.c remap_pfn_range, vm_insert_page; mail of 1997",
    cases: [
      {
        when: "",
        schedule: "sequential",
        *program({ subject }) {
          const { pageSize, supports } = subject;
          const address = yield* succeed("mmap", subject.map());
          const before = yield* user.faults();
          const there = existingPages(subject);
          for (const page of there) {
            const at = address + page * pageSize;
            mustBe(`page ${page}`, yield* user.load(at), subject.markOf(page));
            mustReach(`a store to page ${page}`, yield* user.store(at, subject.markOf(page)));
          }
          if (supports.populate === "eager") {
            yield* mustHaveFaulted("touching every page", before, { minor: 0, major: 0 });
            return;
          }
          const { minor } = yield* user.faults();
          must(
            minor > before.minor,
            "no touch faults, so everything is mapped at mmap, which it does not claim",
          );
        },
      },
      ...leafClaims,
    ],
  },
  {
    id: "RE-02",
    level: "required",
    owner: ["core"],
    rule: "an area of remapped frames MUST be VM_IO, VM_PFNMAP, VM_DONTEXPAND and VM_DONTDUMP, which only the mmap hook may make it",
    source:
      "mm/memory.c remap_pfn_range_internal; include/linux/mm.h vm_flags_set (mmap_assert_write_locked) since 6.3",
    cases: [
      {
        when: "",
        schedule: "sequential",
        excluded: remapsNothing,
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          yield* mustHaveFlags(address, ["io", "pf", "de", "dd"]);
        },
      },
      {
        when: "any driver",
        schedule: "sequential",
        executor: "model",
        kinds: "one",
        *program() {
          const device = yield* ownDevice({
            *mmap(area, { machine, kernel }) {
              const pfn = claimMarkedWindow(machine, area.pages).range.startPfn;
              const { start: address, pages } = area;
              return yield* kernel.mappings.remapPfnRange(area, { address, pfn, pages, leaves: "single" });
            },
          });
          const { address } = yield* device.mapped();
          yield* mustHaveFlags(address, ["io", "pf", "de", "dd"]);
          yield* device.release();
        },
      },
      {
        when: "a fault handler that remaps an area without these flags",
        schedule: "sequential",
        executor: "model",
        kinds: "one",
        provokes: "area-rule",
        *program() {
          let first = 0;
          const device = yield* ownDevice({
            mmap: (area, { machine }) => {
              first = claimMarkedWindow(machine, area.pages).range.startPfn;
              return 0;
            },
            ops: ({ kernel }) => ({
              *nopage({ area }): Sleepable<FaultOutcome> {
                const request = { address: area.start, pfn: first as Pfn, pages: area.pages } as const;
                const answer = yield* kernel.mappings.remapPfnRange(area, { ...request, leaves: "single" });
                return answer === 0 ? installed : sigbus;
              },
            }),
          });
          const { address } = yield* device.mapped();
          mustBe("a load", yield* user.load(address), device.markOf(0));
          yield* mustHaveFlags(address, ["io", "pf", "de", "dd"]);
          yield* device.release();
        },
      },
    ],
  },
  {
    id: "RE-03",
    level: "required",
    owner: ["core"],
    rule: "of a private writable area only the whole MUST be remapped, its offset then being the first frame; a part MUST be refused with EINVAL",
    source: "mm/memory.c remap_pfn_range_notrack",
    cases: (["part", "whole"] as const).map((when) => ({
      when,
      schedule: "sequential",
      executor: "model",
      kinds: "one",
      *program() {
        let first = -1;
        const device = yield* ownDevice({
          *mmap(area, { machine, kernel }) {
            first = claimMarkedWindow(machine, area.pages).range.startPfn;
            const pages = when === "part" ? area.pages - 1 : area.pages;
            const request = { address: area.start, pfn: first as Pfn, pages, leaves: "single" } as const;
            return yield* kernel.mappings.remapPfnRange(area, request);
          },
        });
        const answer = yield* device.map({ sharing: "private" });
        if (when === "part") mustFail("mmap whose hook remaps a part", answer, EINVAL);
        else mustBe("the offset of the area", (yield* areaAt(answer)).pgoff, first);
        yield* device.release();
      },
    })),
  },
  {
    id: "RE-04",
    level: "required",
    owner: ["strategy", "core"],
    rule: "an entry that is there MUST NOT be remapped: it is a bug that is reported, and the entry stays",
    source: "mm/memory.c remap_pte_range (BUG_ON); commit 6a45ece4c9af",
    cases: [
      {
        when: "two threads that touch different pages",
        schedule: "racy",
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* succeed("mmap", subject.map());
          const other = yield* user.thread(function* () {
            mustBe("page 1", yield* user.load(address + pageSize), subject.markOf(1));
          }, "other");
          mustBe("page 0", yield* user.load(address), subject.markOf(0));
          yield* user.join(other);
        },
      },
      {
        when: "a thread that touches while the object is taken and given back",
        schedule: "racy",
        excluded: ({ subject }) => (subject.gate === undefined ? "it has no gate" : undefined),
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* succeed("mmap", subject.map());
          const other = yield* user.thread(function* () {
            yield* user.load(address + pageSize);
          }, "other");
          yield* gateOf(subject).close();
          yield* gateOf(subject).open();
          yield* user.join(other);
          yield* mustShow(subject, "afterwards", { address, first: 0, pages: subject.pages });
        },
      },
      {
        when: "any driver",
        schedule: "sequential",
        executor: "model",
        provokes: "remap-over-present",
        kinds: "one",
        *program() {
          const device = yield* ownDevice({
            *mmap(area, { machine, kernel }) {
              const { startPfn } = claimMarkedWindow(machine, area.pages + 1).range;
              const { start: address, pages } = area;
              const first = { address, pfn: startPfn, pages, leaves: "single" } as const;
              yield* kernel.mappings.remapPfnRange(area, first);
              return yield* kernel.mappings.remapPfnRange(area, { ...first, pfn: (startPfn + 1) as Pfn });
            },
          });
          const { address } = yield* device.mapped();
          mustBe("the page that was remapped over", yield* user.load(address), device.markOf(0));
          yield* device.release();
        },
      },
      ...remapOverLeafCases,
      remapInsideLeafCase,
    ],
  },
  {
    id: "RE-05",
    level: "required",
    owner: ["core"],
    rule: "a remap that fails half-way MUST leave no entry behind",
    source: "mm/memory.c remap_pfn_range_notrack; CVE-2024-47674",
    cases: [
      {
        when: "no memory for the second page table",
        schedule: "sequential",
        executor: "model",
        machine: { allocations: noTables },
        kinds: "one",
        *program() {
          let left: readonly boolean[] = [];
          const device = yield* ownDevice({
            *mmap(area, { machine, kernel }) {
              const pfn = claimMarkedWindow(machine, area.pages).range.startPfn;
              const { start: address, pages, mm } = area;
              noTables.injection = "on";
              const answer = yield* kernel.mappings.remapPfnRange(area, {
                address,
                pfn,
                pages,
                leaves: "single",
              });
              noTables.injection = "off";
              left = [0, 1].map((page) => mm.table.entryOf(address / mm.pageSize + page) !== 0);
              return answer;
            },
          });
          const { pageSize } = device.machine.geometry;
          // A neighbour in the first table, so that only the second is missing.
          const neighbour = TABLE_BOUNDARY - 2 * pageSize;
          const request = { address: neighbour, placement: "fixed", length: pageSize } as const;
          yield* succeed("mmap", user.mmap({ ...request, protection: 3, sharing: "private" }));
          yield* user.store(neighbour, 1);
          const answer = yield* device.map({ pages: 2, fixedAt: TABLE_BOUNDARY - pageSize });
          mustFail("mmap whose remap finds no memory half-way", answer, ENOMEM);
          mustBe("whether entries were left by the remap", left, [false, false]);
          yield* device.release();
        },
      },
      {
        when: "the object is taken away half-way",
        schedule: "racy",
        excluded: (stage) =>
          remapsNothing(stage) ?? (stage.subject.gate === undefined ? "it has no gate" : undefined),
        *program({ subject }) {
          const fixedAt = TABLE_BOUNDARY - subject.pageSize;
          const owner = yield* user.thread(function* () {
            yield* gateOf(subject).close();
            yield* gateOf(subject).open();
          }, "owner");
          const address = yield* subject.map({ fixedAt });
          yield* user.join(owner);
          if (address >= 0) {
            yield* mustShow(subject, "what was mapped", { address, first: 0, pages: subject.pages });
            return;
          }
          mustFail("mmap meanwhile", address, EAGAIN);
          yield* mustBeUnmapped(subject, "what mmap refused to map", fixedAt, subject.pages);
        },
      },
      remapWithoutTablesCase,
    ],
  },
  {
    id: "RE-06",
    level: "required",
    owner: ["core"],
    rule: "a remap to an address inside a page, outside the area, or of frames that the machine cannot have MUST be refused with EINVAL, and MUST change nothing",
    source: "mm/memory.c remap_pfn_range_notrack (WARN_ON_ONCE(!PAGE_ALIGNED(addr))), vm_iomap_memory",
    cases: [
      {
        when: "",
        schedule: "sequential",
        executor: "model",
        kinds: "one",
        *program() {
          const device = yield* ownDevice({
            *mmap(area, { machine, kernel }) {
              const pfn = claimMarkedWindow(machine, area.pages).range.startPfn;
              const request = { address: area.start + 8, pfn, pages: 1, leaves: "single" } as const;
              return yield* kernel.mappings.remapPfnRange(area, request);
            },
          });
          mustFail("mmap whose hook remaps from within a page", yield* device.map(), EINVAL);
          yield* device.release();
        },
      },
      ...(
        [
          ["outside the area", (first) => ({ pfn: first, pages: 5 })],
          ["of no page", (first) => ({ pfn: first, pages: 0 })],
          ["of a negative frame", () => ({ pfn: -1, pages: 1 })],
          ["of half a frame", (first) => ({ pfn: first + 0.5, pages: 1 })],
          ["past the machine's physical addresses", (_first, limit) => ({ pfn: limit - 1, pages: 2 })],
        ] as readonly (readonly [string, (first: number, limit: number) => { pfn: number; pages: number }])[]
      ).map(
        ([when, runOf]): LawCase => ({
          when,
          schedule: "sequential",
          executor: "model",
          kinds: "one",
          *program() {
            let left = -1;
            const device = yield* ownDevice({
              *mmap(area, { machine, kernel }) {
                const first = claimMarkedWindow(machine, area.pages + 1).range.startPfn;
                const run = runOf(first, machine.pfnLimit);
                const request = {
                  ...run,
                  pfn: run.pfn as Pfn,
                  address: area.start,
                  leaves: "single",
                } as const;
                const { flags } = area;
                const answer = yield* kernel.mappings.remapPfnRange(area, request);
                left = entriesIn(area.mm, area.start, area.pages);
                mustBe("the area's flags after a remap that is refused", area.flags, flags);
                return answer;
              },
            });
            mustFail(`mmap whose hook remaps ${when}`, yield* device.map(), EINVAL);
            mustBe("entries that are left", left, 0);
            yield* device.release();
          },
        }),
      ),
    ],
  },
];

function remapsNothing({ subject: { supports } }: Stage): string | undefined {
  return supports.populate === "eager" && !supports.countsPages ? undefined : "it maps no frames at mmap";
}
