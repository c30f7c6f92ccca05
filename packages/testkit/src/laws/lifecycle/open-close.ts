import { EBUSY, VM_DONTEXPAND, VM_IO, VM_MIXEDMAP, VM_PFNMAP } from "@nopage/core";
import { inWords, must, mustBe, mustSucceed, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { Subject } from "../../subject/subject.ts";
import type { AnyLaw } from "../law.ts";
import { countsNoHooks, countsOf, mustHaveAlive, mustHaveRun } from "../support/hook-counts.ts";
import { mapPlanted, openPlanted, plantDevice, setOps } from "../support/planted-device.ts";
import { freeRange, isSmallerThan, move, unmap } from "../support/reserved-range.ts";
import { mustBeUnmapped, mustShow } from "../support/shown-pages.ts";

/** How open and close count the areas of a mapping, and that none of them is lost by merging. */
export const openCloseLaws: readonly AnyLaw[] = [
  {
    id: "LC-01",
    level: "required",
    owner: ["core", "strategy"],
    rule: "open MUST NOT run for the area that mmap itself makes",
    source: "mm/mmap.c __mmap_region; net/packet/af_packet.c packet_mmap; mail of 1997",
    cases: [
      {
        when: "",
        schedule: "sequential",
        excluded: countsNoHooks,
        *program({ subject }) {
          for (let times = 1; times <= 2; times++) {
            const before = yield* countsOf(subject);
            yield* succeed("mmap", subject.map());
            yield* mustHaveRun(subject, "mmap", before, { opens: 0, closes: 0 });
            const { mmaps } = yield* countsOf(subject);
            mustBe("the number of mmap hooks that one mmap runs", mmaps - before.mmaps, 1);
          }
        },
      },
    ],
  },
  {
    id: "LC-02",
    level: "required",
    owner: ["core", "strategy"],
    rule: "over any cuts, moves, forks and exits, open and close MUST count exactly the live areas, each of which MUST go on working until it goes itself",
    source: "net/packet/af_packet.c packet_mm_open, packet_mm_close, packet_set_ring",
    cases: [
      {
        when: "",
        schedule: "sequential",
        excluded: isSmallerThan(4),
        *program({ subject }) {
          const { pages, pageSize } = subject;
          const low = { address: yield* succeed("mmap", subject.map()), first: 0, pages: 1 };
          yield* mustShow(subject, "the mapping", { ...low, pages });
          yield* mustBeAlive(subject, "mmap", 1);

          yield* unmap(subject, low.address + pageSize, 1);
          let high = { address: low.address + 2 * pageSize, first: 2, pages: pages - 2 };
          yield* mustBeAlive(subject, "punching a hole", 2);
          yield* mustShow(subject, "below the hole", low);
          yield* mustShow(subject, "above the hole", high);

          high = { ...high, address: yield* move(subject, high.address, high.pages) };
          yield* mustBeAlive(subject, "moving a piece", 2);
          yield* mustShow(subject, "the moved piece", high);
          yield* mustShow(subject, "the piece that stayed", low);

          const child = yield* user.fork(function* () {
            yield* mustBeAlive(subject, "fork", 4);
            yield* unmap(subject, low.address, 1);
            yield* mustBeAlive(subject, "an munmap by the child", 3);
            yield* mustShow(subject, "the child's other piece", high);
          });
          if (typeof child === "number") return void mustSucceed("fork", child);
          yield* user.join(child);
          yield* mustBeAlive(subject, "the end of the child", 2);
          yield* mustBeKnownAsMapped(subject);
          yield* mustShow(subject, "the parent's first piece", low);
          yield* mustShow(subject, "the parent's other piece", high);

          yield* unmap(subject, high.address, 1);
          high = { address: high.address + pageSize, first: 3, pages: high.pages - 1 };
          yield* mustBeAlive(subject, "trimming a piece", 2);
          yield* mustShow(subject, "what is left of it", high);
          yield* unmap(subject, low.address, 1);
          yield* mustBeAlive(subject, "unmapping a piece", 1);
          yield* mustShow(subject, "the last piece", high);
          yield* unmap(subject, high.address, high.pages);
          yield* mustBeAlive(subject, "unmapping the last piece", 0);
          yield* mustBeUnmapped(subject, "the last piece", high.address, high.pages);

          yield* mustBeFree(subject);
          const again = yield* succeed("another mmap", subject.map());
          yield* mustShow(subject, "another mapping", { address: again, first: 0, pages });
        },
      },
    ],
  },
  {
    id: "LC-11",
    level: "required",
    owner: ["core"],
    rule: "areas with a close hook, and special ones, MUST NOT be merged with their neighbours: so many mmaps, so many areas and closes",
    source: "mm/mmap.c is_mergeable_vma; VM_SPECIAL",
    cases: [
      {
        when: "a driver that counts closes",
        schedule: "sequential",
        excluded: countsNoHooks,
        *program({ subject }) {
          const { pages, pageSize } = subject;
          const descriptor = yield* succeed("open", subject.open());
          const address = yield* freeRange(subject, pages);
          const before = yield* countsOf(subject);
          // The one in the middle comes last, so that it could be merged with both.
          for (const first of [0, 2, 1, ...Array.from({ length: pages - 3 }, (_, index) => index + 3)]) {
            const fixedAt = address + first * pageSize;
            const place = yield* subject.map({ first, pages: 1, fixedAt, descriptor });
            mustBe(`the place of object page ${first}`, place, fixedAt);
          }
          yield* user.close(descriptor);
          yield* mustHaveAreas(address, pages * pageSize, pages);
          yield* mustShow(subject, "the neighbours", { address, first: 0, pages });
          yield* unmap(subject, address, pages);
          yield* mustHaveRun(subject, "unmapping the neighbours", before, { opens: 0, closes: pages });
        },
      },
      ...(
        [
          ["a close hook", 0, "with a close hook", 2],
          ["VM_IO", VM_IO, "without a close hook", 2],
          ["VM_PFNMAP", VM_PFNMAP, "without a close hook", 2],
          ["VM_MIXEDMAP", VM_MIXEDMAP, "without a close hook", 2],
          ["VM_DONTEXPAND", VM_DONTEXPAND, "without a close hook", 2],
          ["nothing against it", 0, "without a close hook", 1],
        ] as const
      ).map(([when, flags, closing, areas]) => ({
        when,
        schedule: "sequential" as const,
        executor: "model" as const,
        *program({ subject }: { readonly subject: Subject }): Steps<void> {
          const { pageSize } = subject;
          let closes = 0;
          const ops =
            closing === "with a close hook" ? { name: "law", close: () => void closes++ } : undefined;
          const device = yield* plantDevice("/dev/law", 2, () => ({
            mmap: (_file, area) => {
              area.flags |= flags;
              return ops === undefined ? 0 : setOps(area, ops);
            },
          }));
          const address = yield* freeRange(subject, 2);
          const descriptor = yield* openPlanted(device);
          for (const first of [0, 1]) {
            const fixedAt = address + first * pageSize;
            yield* succeed("mmap", mapPlanted(device, pageSize, { first, fixedAt, descriptor }));
          }
          yield* user.close(descriptor);
          yield* mustHaveAreas(address, 2 * pageSize, areas);
          yield* unmap(subject, address, 2);
          mustBe("the number of closes", closes, closing === "with a close hook" ? 2 : 0);
        },
      })),
    ],
  },
];

/** As `mustHaveAlive`, where the driver counts its hooks. */
function* mustBeAlive(subject: Subject, what: string, alive: number): Steps<void> {
  if (subject.counts !== undefined) yield* mustHaveAlive(subject, what, alive);
}

/** A driver may refuse to change an object that is mapped, and may zap it and go on; nothing else. */
function* mustBeKnownAsMapped({ resize, pages }: Subject): Steps<void> {
  if (resize === undefined) return;
  const answer = yield* resize(pages);
  must(
    answer === 0 || answer === -EBUSY,
    `a resize while it is mapped answers ${inWords(answer)}, and must succeed or fail with EBUSY`,
  );
}

/** Nothing of the object is mapped any more, and its driver must know that. */
function* mustBeFree({ resize, pages }: Subject): Steps<void> {
  if (resize !== undefined) mustBe("a resize once nothing is mapped", yield* resize(pages), 0);
}

/** A range must be covered by so many areas. */
export function* mustHaveAreas(address: number, bytes: number, expected: number): Steps<void> {
  const areas = (yield* user.smaps()).filter(({ start, end }) => start < address + bytes && end > address);
  mustBe(`the number of areas at 0x${address.toString(16)}`, areas.length, expected);
}
