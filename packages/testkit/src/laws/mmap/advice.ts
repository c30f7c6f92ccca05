import { EBUSY, EINVAL, ENOMEM } from "@nopage/core";
import { mustBe, mustFail } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { AnyLaw } from "../law.ts";
import { forked } from "../support/forked.ts";
import {
  islandOf,
  mapAnywhere,
  mapAt,
  mustLieAs,
  mustRead,
  type Paged,
  write,
  writtenIsland,
} from "../support/own-memory.ts";
import { unmap } from "../support/reserved-range.ts";
import { mustBeUnmapped } from "../support/shown-pages.ts";

/** What a process says and asks about ranges of its memory. */
export const adviceLaws: readonly AnyLaw[] = [
  {
    id: "MM-13",
    level: "required",
    owner: ["core"],
    rule: "madvise MUST refuse what is no range with EINVAL; over a hole it MUST do what it is asked for on both sides and fail with ENOMEM",
    source: "mm/madvise.c do_madvise, madvise_walk_vmas, madvise_vma_behavior; madvise(2)",
    cases: [
      {
        when: "what is no range",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const { pageSize, wordBits } = subject;
          const address = yield* writtenIsland(subject, [1, 2]);
          // The first is none when it is rounded up to pages.
          const wrapping = [2 ** wordBits - 2048, 2 ** wordBits - address];
          for (const advice of ["dontneed", "dontfork", "populate-read"] as const) {
            for (const length of wrapping) {
              mustFail(
                `${advice} of a range that wraps`,
                yield* user.madvise(address, length, advice),
                EINVAL,
              );
            }
            const inside = user.madvise(address + 8, pageSize, advice);
            mustFail(`${advice} inside a page`, yield* inside, EINVAL);
            mustFail(
              `${advice} of less than nothing`,
              yield* user.madvise(address, -pageSize, advice),
              EINVAL,
            );
            mustBe(`${advice} of nothing`, yield* user.madvise(address, 0, advice), 0);
          }
          yield* mustRead(subject, "the memory", address, [1, 2]);
        },
      },
      {
        when: "a range with holes",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* writtenIsland(subject, [1, 2, 3, 4]);
          yield* unmap(subject, address + pageSize, 1);
          mustFail("dontneed over a hole", yield* user.madvise(address, 3 * pageSize, "dontneed"), ENOMEM);
          const left = yield* pagesOf(subject, address);
          mustBe("the pages afterwards", left, [0, "unmapped", 0, 4]);
          mustFail("dontfork over a hole", yield* user.madvise(address, 3 * pageSize, "dontfork"), ENOMEM);
          mustBe("areas that are not copied", yield* flagged(subject, address, 4, "dc"), [
            true,
            false,
            true,
            false,
          ]);
          // A hole at the end is found only once all before it is done.
          const tail = user.madvise(address + 2 * pageSize, 4 * pageSize, "dontneed");
          mustFail("dontneed up to a hole", yield* tail, ENOMEM);
          mustBe("the pages afterwards", yield* pagesOf(subject, address), [0, "unmapped", 0, 0]);
          const hole = user.madvise(address + 4 * pageSize, pageSize, "dontneed");
          mustFail("dontneed of a hole", yield* hole, ENOMEM);
        },
      },
      {
        when: "whether a range is copied and dumped",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* writtenIsland(subject, [1, 2, 3]);
          const middle = address + pageSize;
          for (const [on, off, flag] of [
            ["dontfork", "dofork", "dc"],
            ["dontdump", "dodump", "dd"],
          ] as const) {
            for (const times of ["once", "twice"]) {
              mustBe(`${on} ${times}`, yield* user.madvise(middle, pageSize, on), 0);
              mustBe(`pages with ${flag}`, yield* flagged(subject, address, 3, flag), [false, true, false]);
            }
            for (const times of ["once", "twice"]) {
              mustBe(`${off} ${times}`, yield* user.madvise(middle, pageSize, off), 0);
              mustBe(`pages with ${flag}`, yield* flagged(subject, address, 3, flag), [false, false, false]);
              yield* mustLieAs(subject, `the memory after ${off}`, address, 3, [[0, 3]]);
            }
          }
          mustBe("dontfork", yield* user.madvise(middle, pageSize, "dontfork"), 0);
          yield* forked(function* () {
            yield* mustBeUnmapped(subject, "what is not copied", middle, 1);
            yield* mustRead(subject, "what is copied", address, [1]);
          });
        },
      },
      {
        when: "locked memory, which is kept",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* writtenIsland(subject, [1, 2]);
          mustBe("mlock", yield* user.mlock(address, pageSize), 0);
          mustFail("dontneed", yield* user.madvise(address, 2 * pageSize, "dontneed"), EINVAL);
          yield* mustRead(subject, "the memory", address, [1, 2]);
          mustBe("munlock", yield* user.munlock(address, pageSize), 0);
          mustBe("dontneed", yield* user.madvise(address, 2 * pageSize, "dontneed"), 0);
          yield* mustRead(subject, "the memory", address, [0, 0]);
        },
      },
    ],
  },
  {
    id: "MM-14",
    level: "required",
    owner: ["core"],
    rule: "msync MUST refuse an address inside a page with EINVAL, a range with a hole or one that wraps with ENOMEM, and to invalidate what is locked with EBUSY",
    source: "mm/msync.c; msync(2)",
    cases: [
      {
        when: "",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const { pageSize, wordBits } = subject;
          const address = yield* islandOf(subject, 4);
          mustBe("mmap", yield* mapAt(subject, address, 3, { sharing: "shared" }), address);
          yield* write(subject, address, [1, 2, 3]);
          for (const writing of ["async", "sync"] as const) {
            mustFail("inside a page", yield* user.msync(address + 8, pageSize, { writing }), EINVAL);
            mustFail("of a range that wraps", yield* user.msync(address, -pageSize, { writing }), ENOMEM);
            mustBe("of nothing", yield* user.msync(address, 0, { writing }), 0);
            const none = 2 ** wordBits - 2048;
            mustBe(
              "of what is nothing when it is rounded up",
              yield* user.msync(address, none, { writing }),
              0,
            );
            mustBe("of a part of a page", yield* user.msync(address, 1, { writing }), 0);
            mustBe("of all", yield* user.msync(address, 3 * pageSize, { writing }), 0);
            mustFail("up to a hole", yield* user.msync(address, 4 * pageSize, { writing }), ENOMEM);
          }
          mustBe("mlock", yield* user.mlock(address + 2 * pageSize, pageSize), 0);
          const invalidating = { others: "invalidate" } as const;
          mustBe(
            "invalidating what is not locked",
            yield* user.msync(address, 2 * pageSize, invalidating),
            0,
          );
          mustFail(
            "invalidating what is locked",
            yield* user.msync(address, 3 * pageSize, invalidating),
            EBUSY,
          );
          mustBe("writing what is locked", yield* user.msync(address, 3 * pageSize), 0);
          yield* unmap(subject, address + pageSize, 1);
          mustFail("across a hole", yield* user.msync(address, 3 * pageSize), ENOMEM);
          mustFail("from a hole on", yield* user.msync(address + pageSize, 2 * pageSize), ENOMEM);
          yield* mustRead(subject, "the memory", address, [1]);
        },
      },
    ],
  },
  {
    id: "MM-15",
    level: "required",
    owner: ["core"],
    rule: "mincore MUST tell of each page whether a touch would find it in memory; it MUST refuse an address inside a page with EINVAL, and a range that is not mapped with ENOMEM",
    source: "mm/mincore.c; mincore(2)",
    cases: [
      {
        when: "private memory",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const { pageSize, wordBits } = subject;
          const address = yield* writtenIsland(subject, [1, 0, 3]);
          mustBe("its pages", yield* user.mincore(address, 3 * pageSize), [true, false, true]);
          mustBe("a part of a page", yield* user.mincore(address, 1), [true]);
          mustBe("none of it", yield* user.mincore(address, 0), []);
          mustBe("inside a page", yield* user.mincore(address + 8, pageSize), -EINVAL);
          mustBe("up to a hole", yield* user.mincore(address, 4 * pageSize), -ENOMEM);
          mustBe("a range that wraps", yield* user.mincore(address, -pageSize), -ENOMEM);
          mustBe("all there can be", yield* user.mincore(address, 2 ** wordBits - pageSize), -ENOMEM);
          mustBe("nothing, rounded up", yield* user.mincore(address, 2 ** wordBits - 2048), -ENOMEM);
          mustBe("dontneed", yield* user.madvise(address, pageSize, "dontneed"), 0);
          mustBe("its pages", yield* user.mincore(address, 3 * pageSize), [false, false, true]);
        },
      },
      {
        when: "shared memory",
        schedule: "sequential",
        kinds: "one",
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* mapAnywhere(subject, 3, { sharing: "shared" });
          yield* write(subject, address, [1]);
          // What is not mapped here may still be in memory: others may show it.
          mustBe("dontneed", yield* user.madvise(address, 3 * pageSize, "dontneed"), 0);
          mustBe("its pages", yield* user.mincore(address, 3 * pageSize), [true, false, false]);
          mustBe("the page that was written", yield* user.load(address), 1);
        },
      },
    ],
  },
];

/** Whether the area of each page has a flag, in the letters of VmFlags; false where nothing is mapped. */
function* flagged(
  { pageSize }: Paged,
  address: number,
  pages: number,
  flag: string,
): Steps<readonly boolean[]> {
  const areas = yield* user.smaps();
  return Array.from({ length: pages }, (_, page) => {
    const at = address + page * pageSize;
    return areas.some(({ start, end, flags }) => start <= at && at < end && flags.includes(flag));
  });
}

/** What a load finds of each of four pages. */
function* pagesOf({ pageSize }: Paged, address: number): Steps<readonly unknown[]> {
  const areas = yield* user.smaps();
  const pages: unknown[] = [];
  for (let page = 0; page < 4; page++) {
    const at = address + page * pageSize;
    const isMapped = areas.some(({ start, end }) => start <= at && at < end);
    pages.push(isMapped ? yield* user.load(at) : "unmapped");
  }
  return pages;
}
