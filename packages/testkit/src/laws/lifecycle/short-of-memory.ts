import { EAGAIN, ENOMEM, isError } from "@nopage/core";
import { mustBe, mustFail } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { Subject } from "../../subject/subject.ts";
import type { AnyLaw, LawCase } from "../law.ts";
import { forked } from "../support/forked.ts";
import { islandOf, mapAt, type Paged, write } from "../support/own-memory.ts";
import { unmap } from "../support/reserved-range.ts";
import { ShortMemory } from "../support/short-memory.ts";

const memory = new ShortMemory();
/** Where page tables begin on every geometry: what is moved there needs tables of its own. */
const FAR = 2 ** 30;
const VALUES = [31, 32, 33, 34, 0];

/** What a call is tried on: five pages of private memory, the last of them never touched, and free room behind. */
interface Scene {
  readonly subject: Subject;
  readonly address: number;
}

/** A call of the kernel that has to allocate something. */
interface Attempt {
  readonly when: string;
  /** What it answers without memory; ENOMEM where left out. */
  readonly errno?: number;
  call(scene: Scene): Steps<number>;
  /** What must hold once it has succeeded. */
  whenDone?(scene: Scene, answer: number): Steps<void>;
}

const attempts: readonly Attempt[] = [
  {
    when: "mmap of private memory",
    call: ({ subject, address }) => mapAt(subject, address + 6 * subject.pageSize, 2),
  },
  {
    when: "mmap of shared memory",
    call: ({ subject, address }) => mapAt(subject, address + 6 * subject.pageSize, 2, { sharing: "shared" }),
    *whenDone(_scene, address) {
      yield* forked(function* () {
        mustBe("a store by a child", yield* user.store(address, 7), undefined);
      });
      mustBe("what the parent sees of shared memory", yield* user.load(address), 7);
    },
  },
  {
    when: "munmap of a hole",
    call: ({ subject: { pageSize }, address }) => user.munmap(address + pageSize, pageSize),
  },
  {
    when: "mprotect of a page inside",
    call: ({ subject: { pageSize }, address }) => user.mprotect(address + pageSize, pageSize, 0),
  },
  {
    when: "mprotect of the first page",
    call: ({ subject: { pageSize }, address }) => user.mprotect(address, pageSize, 0),
  },
  {
    when: "MADV_DONTFORK of a page inside",
    errno: EAGAIN,
    call: ({ subject: { pageSize }, address }) => user.madvise(address + pageSize, pageSize, "dontfork"),
  },
  {
    when: "MADV_POPULATE_WRITE",
    call: ({ subject: { pageSize }, address }) => user.madvise(address, 5 * pageSize, "populate-write"),
  },
  {
    when: "mlock of a page inside",
    call: ({ subject: { pageSize }, address }) => user.mlock(address + pageSize, pageSize),
  },
  {
    when: "mremap of all to another place",
    call: ({ subject: { pageSize }, address }) => moveFar(address, 5 * pageSize, 5 * pageSize),
    whenDone: movedFrom(0, 5),
  },
  {
    when: "mremap of a page inside to another place",
    call: ({ subject: { pageSize }, address }) => moveFar(address + pageSize, pageSize, pageSize),
    whenDone: movedFrom(1, 1),
  },
  {
    when: "mremap of the last pages to a place where they grow",
    call: ({ subject: { pageSize }, address }) => moveFar(address + 3 * pageSize, 2 * pageSize, 4 * pageSize),
    whenDone: movedFrom(3, 2),
  },
];

/** Calls that run out of memory. */
export const shortOfMemoryLaws: readonly AnyLaw[] = [
  {
    id: "LC-24",
    level: "model-only",
    owner: ["core"],
    rule: "a call about memory that gets none for itself MUST answer ENOMEM, or EAGAIN where advice has to cut an area or mlock makes a page, and MUST leave every page as it was",
    source:
      "mm/mmap.c __split_vma, mmap_region; mm/mremap.c move_vma; mm/mprotect.c mprotect_fixup; mm/madvise.c madvise_vma_behavior, madvise_populate; mm/mlock.c __mlock_posix_error_return",
    cases: [
      ...attempts.map(
        (attempt): LawCase => ({
          when: attempt.when,
          schedule: "sequential",
          kinds: "one",
          machine: { allocations: memory },
          program: ({ subject }) => tryWithLess(subject, attempt),
        }),
      ),
      {
        when: "mlock of pages that are not there",
        schedule: "sequential",
        kinds: "one",
        machine: { allocations: memory },
        *program({ subject }) {
          const { pageSize } = subject;
          const address = yield* islandOf(subject, 2);
          mustBe("mmap", yield* mapAt(subject, address, 2), address);
          memory.left = 0;
          const answer = yield* user.mlock(address, 2 * pageSize);
          memory.refill();
          mustFail("mlock without a page", answer, EAGAIN);
          mustBe("resident pages", (yield* user.memoryStatus()).rss, 0);
          // The areas are locked by then, as in Linux: what is touched later stays.
          mustBe("VmLck", (yield* user.memoryStatus()).locked, 2);
          mustBe("munlock", yield* user.munlock(address, 2 * pageSize), 0);
        },
      },
      {
        when: "mmap over a page inside other memory",
        schedule: "sequential",
        kinds: "one",
        machine: { allocations: memory },
        *program({ subject }) {
          const address = yield* sceneOf(subject);
          const middle = address + 2 * subject.pageSize;
          const before = yield* pagesAt(subject, address);
          // What lies there goes first, all of it or nothing; what is beside it stays.
          const cleared = before.map((page, index) => (index === 2 ? UNMAPPED : page));
          yield* memory.untilEnough(
            "mmap over a page",
            () => mapAt(subject, middle, 1, { protection: 0 }),
            function* (answer) {
              if (!isError(answer)) return false;
              mustFail("mmap over a page without memory", answer, ENOMEM);
              const after = yield* pagesAt(subject, address);
              mustBe("the pages afterwards", after, after[2] === UNMAPPED ? cleared : before);
              return true;
            },
          );
        },
      },
    ],
  },
];

/** Tries a call with ever more memory until it succeeds, and looks at what is left whenever it has failed. */
function* tryWithLess(subject: Subject, attempt: Attempt): Steps<void> {
  const { when, errno = ENOMEM, whenDone } = attempt;
  const address = yield* sceneOf(subject);
  const scene = { subject, address };
  const before = yield* pagesAt(subject, address);
  const { size, locked } = yield* user.memoryStatus();
  let answer = 0;
  yield* memory.untilEnough(
    when,
    () => attempt.call(scene),
    function* (seen) {
      answer = seen;
      if (!isError(seen)) return false;
      mustFail(`${when} without memory`, seen, errno);
      mustBe(`the pages after ${when} without memory`, yield* pagesAt(subject, address), before);
      const after = yield* user.memoryStatus();
      mustBe(`VmSize and VmLck after ${when} without memory`, [after.size, after.locked], [size, locked]);
      return true;
    },
  );
  if (whenDone !== undefined) yield* whenDone(scene, answer);
}

function* sceneOf(subject: Subject): Steps<number> {
  const address = yield* islandOf(subject, 10);
  mustBe("mmap of memory", yield* mapAt(subject, address, VALUES.length), address);
  yield* write(subject, address, VALUES);
  return address;
}

const UNMAPPED = "unmapped";

/** What each page of the island is: its area's flags, and what a load finds. */
function* pagesAt({ pageSize }: Paged, address: number): Steps<readonly string[]> {
  const areas = yield* user.smaps();
  const pages: string[] = [];
  for (let page = 0; page < 10; page++) {
    const at = address + page * pageSize;
    const area = areas.find(({ start, end }) => start <= at && at < end);
    if (area === undefined) pages.push(UNMAPPED);
    // The page that was never touched stays so, for the calls that would make it.
    else if (page === VALUES.length - 1) pages.push(area.flags.join(" "));
    else pages.push(`${area.flags.join(" ")}: ${yield* user.load(at)}`);
  }
  return pages;
}

function moveFar(address: number, oldLength: number, newLength: number): Steps<number> {
  return user.mremap({ address, oldLength, newLength, moving: "may-move", newAddress: FAR });
}

/** The pages that have moved show what they showed, and so do those that have not. */
function movedFrom(first: number, pages: number) {
  return function* ({ subject }: Scene, moved: number): Steps<void> {
    mustBe("the new place", moved, FAR);
    for (const [page, value] of VALUES.slice(first, first + pages).entries()) {
      const at = moved + page * subject.pageSize;
      mustBe(`page ${page} of what has moved`, yield* user.load(at), value);
      mustBe("a store to it", yield* user.store(at, 1), undefined);
    }
    yield* unmap(subject, moved, pages);
  };
}
