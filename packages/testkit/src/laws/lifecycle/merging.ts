import { VM_DONTCOPY, VM_EXEC, VM_READ } from "@nopage/core";
import { mustBe, SIGSEGV_ACCERR, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { Subject } from "../../subject/subject.ts";
import type { AnyLaw, LawCase } from "../law.ts";
import { countEntries, objectAt } from "../support/entries-showing.ts";
import { forked } from "../support/forked.ts";
import {
  islandOf,
  mapAt,
  mustLieAs,
  mustRead,
  type Paged,
  READ_WRITE,
  write,
  writtenIsland,
} from "../support/own-memory.ts";
import { mapPlanted, openPlanted, plantDevice } from "../support/planted-device.ts";
import { unmap } from "../support/reserved-range.ts";

/** Which areas next to each other become one. */
export const mergingLaws: readonly AnyLaw[] = [
  {
    id: "LC-23",
    level: "required",
    owner: ["core"],
    rule: "areas that lie next to each other and differ in nothing MUST become one, which shows what both showed; areas that differ in anything MUST NOT",
    source: "mm/mmap.c vma_merge, is_mergeable_vma, is_mergeable_anon_vma, mmap_region (6.1)",
    cases: [
      memoryCase("new memory between two others", function* (subject) {
        const address = yield* islandOf(subject, 3);
        for (const page of [0, 2]) yield* mapPage(subject, address, page);
        yield* mustLieAs(subject, "memory with a hole", address, 3, [
          [0, 1],
          [2, 3],
        ]);
        yield* mapPage(subject, address, 1);
        yield* mustLieAs(subject, "memory whose hole was filled", address, 3, [[0, 3]]);
        yield* write(subject, address, [1, 2, 3]);
        yield* mustRead(subject, "what became one", address, [1, 2, 3]);
      }),
      memoryCase("new memory of another protection or another kind", function* (subject) {
        const address = yield* islandOf(subject, 3);
        yield* mapPage(subject, address, 0);
        mustBe(
          "mmap",
          yield* mapAt(subject, address + subject.pageSize, 1, { protection: VM_READ }),
          address + subject.pageSize,
        );
        const third = address + 2 * subject.pageSize;
        mustBe("mmap", yield* mapAt(subject, third, 1, { sharing: "shared" }), third);
        yield* mustLieAs(subject, "memory of three kinds", address, 3, [
          [0, 1],
          [1, 2],
          [2, 3],
        ]);
      }),
      memoryCase("a protection that is taken and given back, page by page", protectionTakenAndGivenBack),
      memoryCase("pages that were written when they were no neighbours", writtenApart),
      ...([0, 1] as const).map((first) =>
        memoryCase(
          `pages that were written when protection alone parted them, the ${first === 0 ? "lower" : "upper"} one first`,
          (subject) => writtenAsNeighbours(subject, first),
        ),
      ),
      memoryCase("memory that was copied by fork", function* (subject) {
        const { pageSize } = subject;
        const address = yield* writtenIsland(subject, [1], 2);
        yield* forked(function* () {
          yield* mapPage(subject, address, 1);
          yield* mustLieAs(subject, "a child's memory", address, 2, [
            [0, 1],
            [1, 2],
          ]);
        });
        yield* mapPage(subject, address, 1);
        mustBe("a store to the parent's new page", yield* user.store(address + pageSize, 2), undefined);
        yield* mustLieAs(subject, "the parent's memory", address, 2, [[0, 2]]);
        yield* mustRead(subject, "the parent's memory", address, [1, 2]);
      }),
      memoryCase("memory that was moved before it was touched", function* (subject) {
        const { pageSize } = subject;
        const address = yield* islandOf(subject, 5);
        for (const page of [0, 4]) yield* mapPage(subject, address, page);
        // Next to one that it becomes one with.
        yield* moveWithin(subject, address, 4, 1);
        yield* mustLieAs(subject, "memory that was moved next to other", address, 5, [[0, 2]]);
        // Between that and itself: the source is taken into what it is moved to, and then unmapped.
        yield* mapPage(subject, address, 3);
        yield* moveWithin(subject, address, 3, 2);
        yield* mustLieAs(subject, "memory that was moved next to itself", address, 5, [[0, 3]]);
        yield* write(subject, address, [1, 2, 3]);
        yield* mustRead(subject, "what became one", address, [1, 2, 3]);
        mustBe("VmSize in pages, of the island", (yield* user.memoryStatus()).size, 3);
        mustBe("munmap of all", yield* user.munmap(address, 5 * pageSize), 0);
      }),
      memoryCase("memory that was moved after it was written", function* (subject) {
        const { pageSize } = subject;
        const address = yield* writtenIsland(subject, [1, 2, 3]);
        yield* unmap(subject, address + pageSize, 1);
        // It goes on being numbered by where it was written, so that only there it fits its neighbours.
        yield* moveWithin(subject, address, 2, 1);
        yield* mustLieAs(subject, "what was moved next to what it does not continue", address, 3, [
          [0, 1],
          [1, 2],
        ]);
        yield* mustRead(subject, "the memory", address, [1, 3]);
        yield* unmap(subject, address, 1);
        yield* moveWithin(subject, address, 1, 2);
        yield* mapPage(subject, address, 1);
        yield* mustLieAs(subject, "what was moved back", address, 3, [[1, 3]]);
        yield* mustRead(subject, "what was moved back", address + pageSize, [0, 3]);
      }),
      memoryCase("memory that becomes one with the only part of it that was written", function* (subject) {
        const { pageSize } = subject;
        const address = yield* islandOf(subject, 3);
        for (const page of [0, 2]) yield* mapPage(subject, address, page);
        const middle = address + pageSize;
        mustBe("mmap for reading", yield* mapAt(subject, middle, 1, { protection: VM_READ }), middle);
        yield* write(subject, address, [0, 0, 3]);
        mustBe("mprotect for writing", yield* user.mprotect(middle, pageSize, READ_WRITE), 0);
        yield* mustLieAs(subject, "the memory", address, 3, [[0, 3]]);
        // Whoever has private pages is copied with them.
        yield* forked(function* () {
          yield* mustRead(subject, "a child's memory", address, [0, 0, 3]);
        });
      }),
      memoryCase("a memory file, mapped piece by piece", memoryFile),
      {
        ...memoryCase("mappings of a device whose hook changes their flags", deviceWithFlags),
        executor: "model",
      },
    ],
  },
];

function* writtenAsNeighbours(subject: Subject, first: 0 | 1): Steps<void> {
  const { pageSize } = subject;
  const address = yield* islandOf(subject, 2);
  yield* mapPage(subject, address, 0);
  const protection = READ_WRITE | VM_EXEC;
  mustBe("mmap", yield* mapAt(subject, address + pageSize, 1, { protection }), address + pageSize);
  yield* mustLieAs(subject, "memory of two kinds", address, 2, [
    [0, 1],
    [1, 2],
  ]);
  for (const page of [first, 1 - first]) {
    mustBe("a store", yield* user.store(address + page * pageSize, 31 + page), undefined);
  }
  mustBe("mprotect", yield* user.mprotect(address + pageSize, pageSize, READ_WRITE), 0);
  yield* mustLieAs(subject, "memory of one kind", address, 2, [[0, 2]]);
  yield* mustRead(subject, "what became one", address, [31, 32]);
}

function memoryCase(when: string, steps: (subject: Subject) => Steps<void>): LawCase {
  return { when, schedule: "sequential", kinds: "one", program: ({ subject }) => steps(subject) };
}

/** Maps one page of private memory, `page` pages behind an address. */
function* mapPage(subject: Paged, address: number, page: number): Steps<void> {
  const at = address + page * subject.pageSize;
  mustBe(`mmap of page ${page}`, yield* mapAt(subject, at, 1), at);
}

function* moveWithin({ pageSize }: Paged, address: number, page: number, to: number): Steps<void> {
  const newAddress = address + to * pageSize;
  const request = { address: address + page * pageSize, oldLength: pageSize, newLength: pageSize } as const;
  const moved = yield* user.mremap({ ...request, moving: "may-move", newAddress });
  mustBe(`mremap of page ${page} to ${to}`, moved, newAddress);
}

function* protectionTakenAndGivenBack(subject: Paged): Steps<void> {
  const { pageSize } = subject;
  const values = [1, 2, 3, 4];
  for (const [order, bounds] of [
    [
      [0, 1, 2, 3],
      [1, 2, 3],
    ],
    [
      [3, 2, 1, 0],
      [3, 2, 1],
    ],
  ] as const) {
    const address = yield* writtenIsland(subject, values);
    for (const [step, page] of order.entries()) {
      const at = address + page * pageSize;
      mustBe("mprotect for reading", yield* user.mprotect(at, pageSize, VM_READ), 0);
      mustBe("a store to it", yield* user.store(at, 9), SIGSEGV_ACCERR);
      const bound = bounds[step];
      const expected =
        bound === undefined
          ? [[0, 4] as const]
          : ([
              [0, bound],
              [bound, 4],
            ] as const);
      yield* mustLieAs(subject, `memory of which ${step + 1} pages are read-only`, address, 4, expected);
    }
    for (const page of [1, 2]) {
      mustBe(
        "mprotect for writing",
        yield* user.mprotect(address + page * pageSize, pageSize, READ_WRITE),
        0,
      );
    }
    yield* mustLieAs(subject, "memory that is writable in the middle", address, 4, [
      [0, 1],
      [1, 3],
      [3, 4],
    ]);
    mustBe("mprotect for reading", yield* user.mprotect(address + pageSize, 2 * pageSize, VM_READ), 0);
    yield* mustLieAs(subject, "memory that is read-only again", address, 4, [[0, 4]]);
    yield* mustRead(subject, "the memory", address, values);
    mustBe("munmap", yield* user.munmap(address, 4 * pageSize), 0);
  }
}

/** Private pages with owners of their own stay two areas; what lies between them joins one of the two. */
function* writtenApart(subject: Paged): Steps<void> {
  const { pageSize } = subject;
  const address = yield* islandOf(subject, 3);
  for (const page of [0, 2]) yield* mapPage(subject, address, page);
  yield* write(subject, address, [1, 0, 3]);
  yield* mapPage(subject, address, 1);
  yield* mustLieAs(subject, "new memory between them", address, 3, [
    [0, 1],
    [1, 3],
  ]);
  yield* mustRead(subject, "the memory", address, [1, 0, 3]);
  const middle = address + pageSize;
  mustBe("mmap for reading in the middle", yield* mapAt(subject, middle, 1, { protection: VM_READ }), middle);
  mustBe("mprotect for writing", yield* user.mprotect(middle, pageSize, READ_WRITE), 0);
  yield* mustLieAs(subject, "a page that became writable between them", address, 3, [
    [0, 2],
    [2, 3],
  ]);
  yield* mustRead(subject, "the memory", address, [1, 0, 3]);
}

/** Pieces of one open file that go on where the last ended; not those of a file opened once more, or out of order. */
function* memoryFile(subject: Paged): Steps<void> {
  const { pageSize } = subject;
  const file = yield* succeed("memfd_create", user.memfd("law"));
  const other = yield* succeed("memfd_create", user.memfd("law"));
  for (const descriptor of [file, other])
    mustBe("ftruncate", yield* user.ftruncate(descriptor, 4 * pageSize), 0);
  const address = yield* islandOf(subject, 6);
  const shared = { protection: READ_WRITE, sharing: "shared", placement: "fixed", length: pageSize } as const;
  for (const [place, pgoff, descriptor] of [
    [0, 0, file],
    [2, 2, file],
    [1, 1, file],
    [3, 0, file],
    [4, 1, other],
  ] as const) {
    const at = address + place * pageSize;
    mustBe("mmap", yield* user.mmap({ ...shared, address: at, pgoff, descriptor }), at);
  }
  for (const descriptor of [file, other]) mustBe("close", yield* user.close(descriptor), 0);
  yield* mustLieAs(subject, "the mapped pieces", address, 6, [
    [0, 3],
    [3, 4],
    [4, 5],
  ]);
  yield* write(subject, address, [1, 2, 3]);
  yield* mustRead(subject, "the pieces", address, [1, 2, 3, 1, 0]);
}

/** The driver is asked for each piece, and adds the flag that its neighbour has already. */
function* deviceWithFlags(subject: Paged): Steps<void> {
  const { pageSize } = subject;
  const device = yield* plantDevice("/dev/law", 2, () => ({
    mmap(_file, area) {
      area.flags |= VM_DONTCOPY;
      return 0;
    },
  }));
  const address = yield* islandOf(subject, 2);
  const descriptor = yield* openPlanted(device);
  const { size } = yield* user.memoryStatus();
  for (const first of [0, 1]) {
    const fixedAt = address + first * pageSize;
    mustBe("mmap", yield* mapPlanted(device, pageSize, { first, fixedAt, descriptor }), fixedAt);
  }
  mustBe("close", yield* user.close(descriptor), 0);
  yield* mustLieAs(subject, "the mapped pieces", address, 2, [[0, 2]]);
  mustBe("what they add to VmSize", (yield* user.memoryStatus()).size - size, 2);
  const object = yield* objectAt(address);
  mustBe("entries of a device without operations", yield* countEntries(object), 0);
  mustBe("areas that show the object", object.size, 1);
}
