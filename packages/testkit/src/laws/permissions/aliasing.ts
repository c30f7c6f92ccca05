import { type BusAddress, DmaPort, type Page, type UserAddress, VM_READ, VM_WRITE } from "@nopage/core";
import { mustBe, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { Subject } from "../../subject/subject.ts";
import type { AnyLaw, LawCase, Stage } from "../law.ts";
import { existingPages } from "../support/existing-pages.ts";
import { freeRange, unmap } from "../support/reserved-range.ts";

const READ_WRITE = VM_READ | VM_WRITE;
const WORD = 7;
/** Ways in which a page can lie in the cache of the model: pages so many apart share their lines. */
const COLOURS = 4;

/** A machine whose data cache finds a page by its virtual address. */
const aliasing = {
  schedule: "sequential",
  machine: { dataCache: "virtually-indexed", ramPages: 160 },
} as const;

/** A cache that is indexed by virtual addresses, in which a page may lie twice. */
export const aliasingLaws: readonly AnyLaw[] = [
  {
    id: "PE-09",
    level: "model-only",
    owner: ["core"],
    rule: "where the data cache is indexed by virtual addresses, what was stored through a mapping MUST be seen by whoever reaches the page later, by another address, as its owner, in a copy or past the cache: the kernel flushes before an entry goes and before a page is shown",
    source: "Documentation/core-api/cachetlb.rst flush_cache_range, flush_dcache_page; mail of 2004",
    cases: [
      {
        ...aliasing,
        when: "unmapped, and mapped at another colour",
        *program({ subject }) {
          const { pageSize } = subject;
          const base = yield* freeRange(subject, 4 * COLOURS);
          const one = yield* succeed("mmap", subject.map({ fixedAt: base }));
          for (const page of existingPages(subject)) yield* user.store(one + page * pageSize, WORD + page);
          yield* unmap(subject, one, subject.pages);
          for (const page of existingPages(subject)) yield* mustBeSeen(subject, page, WORD + page);
          const fixedAt = base + (COLOURS + 1) * pageSize;
          const other = yield* succeed("mmap at another colour", subject.map({ fixedAt }));
          for (const page of existingPages(subject)) {
            const seen = yield* user.load(other + page * pageSize);
            mustBe(`page ${page} at another colour`, seen, WORD + page);
          }
        },
      },
      {
        ...aliasing,
        when: "shown at a second address for the first time",
        excluded: isEager,
        *program({ subject }) {
          const { pageSize } = subject;
          const base = yield* freeRange(subject, 4 * COLOURS);
          const one = yield* succeed("mmap", subject.map({ fixedAt: base }));
          const fixedAt = base + (COLOURS + 1) * pageSize;
          const other = yield* succeed("mmap at another colour", subject.map({ fixedAt }));
          yield* user.store(one, WORD);
          mustBe("page 0 through the other mapping", yield* user.load(other), WORD);
        },
      },
      {
        ...aliasing,
        when: "taken away and given back",
        excluded: ({ subject }) => (subject.gate === undefined ? "it has no gate" : undefined),
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          yield* user.store(address, WORD);
          yield* subject.gate?.close() ?? nothing();
          yield* subject.gate?.open() ?? nothing();
          yield* mustBeSeen(subject, 0, WORD);
          mustBe("page 0 afterwards", yield* user.load(address), WORD);
        },
      },
      {
        ...aliasing,
        when: "memory of the process that moves, is copied by a fork, and is read by a device",
        kinds: "one",
        *program({ subject }) {
          const { pageSize } = subject;
          const base = yield* freeRange(subject, 4 * COLOURS);
          const request = { protection: READ_WRITE, sharing: "private", placement: "fixed" } as const;
          const own = yield* succeed("mmap", user.mmap({ ...request, address: base, length: 3 * pageSize }));
          yield* user.store(own, WORD);
          const size = { oldLength: 3 * pageSize, newLength: 3 * pageSize };
          const newAddress = base + (COLOURS + 1) * pageSize;
          const move = user.mremap({ address: own, ...size, moving: "may-move", newAddress });
          mustBe("mremap to another colour", yield* move, newAddress);
          mustBe("what was stored at the old place", yield* user.load(newAddress), WORD);
          yield* user.store(newAddress + 4, WORD + 1);
          const child = yield* user.fork(function* () {
            yield* user.store(newAddress + 8, 1);
            mustBe("what the parent stored, in the child's copy", yield* user.load(newAddress + 4), WORD + 1);
          });
          if (typeof child === "object") yield* user.join(child);
          yield* user.store(newAddress, WORD + 2);
          mustBe("what a device reads past the cache", yield* readPastCache(newAddress), WORD + 2);
          yield* unmap(subject, newAddress, 3);
        },
      },
      {
        ...aliasing,
        when: "a store while the page is unmapped",
        schedule: "racy",
        excluded: ({ subject }) => (subject.peek === undefined ? "its owner cannot look at it" : undefined),
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map({ pages: 1 }));
          let stored: unknown;
          const storing = yield* user.thread(function* () {
            stored = yield* user.store(address, WORD);
          });
          yield* unmap(subject, address, 1);
          yield* user.join(storing);
          yield* mustBeSeen(subject, 0, stored === undefined ? WORD : subject.markOf(0));
        },
      },
    ] satisfies readonly LawCase[],
  },
];

function isEager({ subject }: Stage): string | undefined {
  return subject.supports.populate === "eager" ? "both mappings show it from the start" : undefined;
}

/** The owner must find a word in its page. */
function* mustBeSeen(subject: Subject, page: number, word: number): Steps<void> {
  if (subject.peek !== undefined)
    mustBe(`page ${page}, as its owner sees it`, yield* subject.peek(page), word);
}

/** The word that a device reads from a page which is pinned for it. */
function* readPastCache(address: number): Steps<number> {
  return yield* user.kernel(function* ({ machine, kernel, thread }) {
    const request = { access: "read", hold: "pin", permission: "checked" } as const;
    const held = yield* kernel.user.getPages(thread.mm, address as UserAddress, 1, request);
    if (typeof held === "number") return held;
    const [page] = held as readonly [Page];
    const bytes = new Uint8Array(4);
    const at = page * machine.geometry.pageSize;
    yield* new DmaPort(machine, "of the law", 40).read(at as BusAddress, bytes);
    yield* kernel.user.releasePage(thread.mm, page, "pin", "clean");
    return new DataView(bytes.buffer).getUint32(0, true);
  });
}

function* nothing(): Steps<void> {}
