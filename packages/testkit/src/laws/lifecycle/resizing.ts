import { EFAULT, EINVAL } from "@nopage/core";
import { mustBe, mustFail, SIGBUS, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { Subject } from "../../subject/subject.ts";
import type { AnyLaw, Stage } from "../law.ts";
import { countsOf, mustHaveRun } from "../support/hook-counts.ts";
import { freeRange, isSmallerThan, move, reserveRange } from "../support/reserved-range.ts";
import { mustBeUnmapped, mustShow, mustShowAgain } from "../support/shown-pages.ts";
import { mustHaveAreas } from "./open-close.ts";

/** Whether and how a mapping grows, shrinks and is duplicated. */
export const resizingLaws: readonly AnyLaw[] = [
  {
    id: "LC-14",
    level: "capability",
    owner: ["core", "strategy"],
    rule: "a mapping of a fixed size MUST refuse to grow with EFAULT; it MUST shrink, and move as it is",
    source: "mm/mremap.c vma_to_resize",
    cases: [
      {
        when: "growing",
        schedule: "sequential",
        excluded: canGrow,
        *program({ subject }) {
          const { pages, pageSize } = subject;
          const address = yield* freeRange(subject, 2 * pages);
          mustBe("mmap", yield* subject.map({ pages: pages - 1, fixedAt: address }), address);
          const newAddress = yield* reserveRange(subject, pages);
          const request = { address, oldLength: (pages - 1) * pageSize, newLength: pages * pageSize };
          const tail = { ...request, address: address + pageSize, oldLength: (pages - 2) * pageSize };
          mustFail("growing in place", yield* user.mremap(request), EFAULT);
          mustFail("growing anywhere", yield* user.mremap({ ...request, moving: "may-move" }), EFAULT);
          const elsewhere = { ...request, moving: "may-move", newAddress } as const;
          mustFail("growing elsewhere", yield* user.mremap(elsewhere), EFAULT);
          if (pages > 2) mustFail("growing its end in place", yield* user.mremap(tail), EFAULT);
          yield* mustShow(subject, "the mapping", { address, first: 0, pages: pages - 1 });
          yield* mustBeUnmapped(subject, "what it did not grow to", address + (pages - 1) * pageSize, 1);
        },
      },
      {
        when: "shrinking and moving",
        schedule: "sequential",
        excluded: isSmallerThan(2),
        *program({ subject }) {
          const { pages, pageSize } = subject;
          const address = yield* succeed("mmap", subject.map());
          const before = yield* countsOf(subject);
          const shorter = { address, oldLength: pages * pageSize, newLength: (pages - 1) * pageSize };
          mustBe("mremap to a shorter length", yield* user.mremap(shorter), address);
          if (subject.counts !== undefined) {
            yield* mustHaveRun(subject, "shrinking", before, { opens: 1, closes: 1 });
          }
          yield* mustBeUnmapped(subject, "what it shrank by", address + (pages - 1) * pageSize, 1);
          yield* mustShow(subject, "the shorter mapping", { address, first: 0, pages: pages - 1 });
          const moved = yield* move(subject, address, pages - 1);
          yield* mustShow(subject, "the moved mapping", { address: moved, first: 0, pages: pages - 1 });
        },
      },
      {
        when: "shrinking by a move",
        schedule: "sequential",
        excluded: isSmallerThan(3),
        *program({ subject }) {
          const { pages, pageSize } = subject;
          const address = yield* succeed("mmap", subject.map());
          yield* mustShow(subject, "the mapping", { address, first: 0, pages });
          const newAddress = yield* reserveRange(subject, 2);
          const before = yield* countsOf(subject);
          const shorter = { address, oldLength: pages * pageSize, newLength: 2 * pageSize };
          const answer = yield* user.mremap({ ...shorter, moving: "may-move", newAddress });
          mustBe("mremap to a shorter length at another place", answer, newAddress);
          if (subject.counts !== undefined) {
            // The end is cut off and goes, and then the rest, of which the new place is a copy.
            yield* mustHaveRun(subject, "shrinking by a move", before, { opens: 2, closes: 2 });
          }
          yield* mustShow(subject, "the new place", { address: newAddress, first: 0, pages: 2 });
          yield* mustBeUnmapped(subject, "where it was", address, pages);
        },
      },
    ],
  },
  {
    id: "LC-15",
    level: "capability",
    owner: ["strategy", "core"],
    rule: "a mapping of any other kind MUST grow without a hook being asked; it MUST show the object to its end, and past that MUST be SIGBUS",
    source: "mm/mremap.c mremap, vma_to_resize; CVE-2008-0007",
    cases: [
      {
        when: "in place",
        schedule: "sequential",
        excluded: cannotGrow,
        *program({ subject }) {
          const { pages, pageSize } = subject;
          const address = yield* freeRange(subject, 4 * pages);
          mustBe("mmap", yield* subject.map({ pages: 1, fixedAt: address }), address);
          yield* mustShow(subject, "the mapping", { address, first: 0, pages: 1 });
          const before = yield* countsOf(subject);
          const grown = { address, oldLength: pageSize, newLength: 4 * pages * pageSize };
          mustBe("growing in place", yield* user.mremap(grown), address);
          mustBe("what the driver counts after growing in place", yield* countsOf(subject), before);
          yield* mustHaveAreas(address, 4 * pages * pageSize, 1);
          yield* mustEndWithObject(subject, address, 4 * pages);
        },
      },
      {
        when: "by moving",
        schedule: "sequential",
        excluded: cannotGrow,
        *program({ subject }) {
          const { pages, pageSize } = subject;
          const address = yield* succeed("mmap", subject.map({ pages: 1 }));
          yield* mustShow(subject, "the mapping", { address, first: 0, pages: 1 });
          const newAddress = yield* reserveRange(subject, 3 * pages);
          const before = yield* countsOf(subject);
          const grown = { address, oldLength: pageSize, newLength: 3 * pages * pageSize };
          const answer = yield* user.mremap({ ...grown, moving: "may-move", newAddress });
          mustBe("growing elsewhere", answer, newAddress);
          if (subject.counts !== undefined) {
            yield* mustHaveRun(subject, "growing elsewhere", before, { opens: 1, closes: 1 });
          }
          yield* mustEndWithObject(subject, newAddress, 3 * pages);
          yield* mustBeUnmapped(subject, "where it was", address, 1);
        },
      },
      {
        when: "from an address inside it",
        schedule: "sequential",
        excluded: (stage) => cannotGrow(stage) ?? isSmallerThan(3)(stage),
        *program({ subject }) {
          const { pages, pageSize } = subject;
          const address = yield* freeRange(subject, pages + 1);
          mustBe("mmap", yield* subject.map({ pages: 2, fixedAt: address }), address);
          const inside = { address: address + pageSize, oldLength: pageSize, newLength: pages * pageSize };
          mustBe("growing its last page", yield* user.mremap(inside), address + pageSize);
          yield* mustHaveAreas(address, (pages + 1) * pageSize, 1);
          yield* mustEndWithObject(subject, address, pages + 1);
        },
      },
      {
        when: "up to a neighbour that goes on where it ends",
        schedule: "sequential",
        excluded: (stage) => cannotGrow(stage) ?? isSmallerThan(3)(stage),
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* freeRange(subject, 3);
          const descriptor = yield* succeed("open", subject.open());
          yield* succeed("mmap", subject.map({ pages: 1, fixedAt: address, descriptor }));
          const fixedAt = address + 2 * pageSize;
          yield* succeed("mmap", subject.map({ first: 2, pages: 1, fixedAt, descriptor }));
          yield* user.close(descriptor);
          const before = yield* countsOf(subject);
          const grown = { address, oldLength: pageSize, newLength: 2 * pageSize };
          mustBe("growing in place", yield* user.mremap(grown), address);
          if (subject.counts !== undefined) {
            yield* mustHaveRun(subject, "growing up to a neighbour", before, { opens: 0, closes: 0 });
            yield* mustHaveAreas(address, 3 * pageSize, 2);
          }
          yield* mustShow(subject, "the grown mapping and its neighbour", { address, first: 0, pages: 3 });
        },
      },
    ],
  },
  {
    id: "LC-16",
    level: "required",
    owner: ["core"],
    rule: "mremap of old length 0 MUST duplicate a shared mapping that may grow, and open the copy once; it MUST refuse others with EFAULT and private ones with EINVAL",
    source: "mm/mremap.c vma_to_resize",
    cases: [
      {
        when: "a shared mapping that may grow",
        schedule: "sequential",
        excluded: cannotGrow,
        *program({ subject }) {
          const { pages } = subject;
          const address = yield* succeed("mmap", subject.map());
          yield* mustShow(subject, "the mapping", { address, first: 0, pages });
          const before = yield* countsOf(subject);
          const copy = yield* succeed("mremap of old length 0", user.mremap(duplicate(subject, address)));
          if (subject.counts !== undefined) {
            yield* mustHaveRun(subject, "mremap of old length 0", before, { opens: 1, closes: 0 });
          }
          yield* mustShowAgain(subject, "the duplicate", { address: copy, first: 0, pages });
          yield* mustShow(subject, "the original", { address, first: 0, pages });
        },
      },
      {
        when: "a shared mapping of a fixed size",
        schedule: "sequential",
        excluded: canGrow,
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          mustFail("mremap of old length 0", yield* user.mremap(duplicate(subject, address)), EFAULT);
          yield* mustShow(subject, "the mapping", { address, first: 0, pages: subject.pages });
        },
      },
      {
        when: "private memory",
        schedule: "sequential",
        *program({ subject }) {
          const anonymous = yield* reserveRange(subject, 1);
          mustFail("of private memory", yield* user.mremap(duplicate(subject, anonymous)), EINVAL);
          if (!subject.supports.privateWritable) return;
          const own = yield* succeed("a private mapping", subject.map({ sharing: "private" }));
          mustFail("of a private mapping", yield* user.mremap(duplicate(subject, own)), EINVAL);
        },
      },
    ],
  },
];

/** Why a law of mappings of a fixed size does not apply. */
export function canGrow({ subject }: Stage): string | undefined {
  return subject.supports.mremapGrow ? "it may grow" : undefined;
}

/** Why a law of mappings that grow does not apply. */
export function cannotGrow({ subject }: Stage): string | undefined {
  return subject.supports.mremapGrow ? undefined : "it may not grow";
}

/** Every page must show the object up to its end, and past that a load must be SIGBUS. */
function* mustEndWithObject(subject: Subject, address: number, pages: number): Steps<void> {
  yield* mustShow(subject, "the grown mapping", { address, first: 0, pages: subject.pages });
  for (let page = subject.pages; page < pages; page++) {
    const at = address + page * subject.pageSize;
    mustBe(`a load from page ${page}, past the object's end`, yield* user.load(at), SIGBUS);
    mustBe(`a store to page ${page}, past the object's end`, yield* user.store(at, 1), SIGBUS);
  }
}

function duplicate({ pages, pageSize }: Subject, address: number) {
  return { address, oldLength: 0, newLength: pages * pageSize, moving: "may-move" } as const;
}
