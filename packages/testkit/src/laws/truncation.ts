import { inWords, must, mustBe, SIGBUS, succeed } from "../program/expect.ts";
import type { Steps } from "../program/operation.ts";
import { user } from "../program/user.ts";
import type { AnyLaw, Stage } from "./law.ts";
import { presentPages } from "./support/taking-away.ts";

const READ_WRITE = 3;
const WORD = 7;
/** Pages of the file that is cut off. */
const PAGES = 2;

function cannotBeResized({ subject }: Stage): string | undefined {
  return subject.resize === undefined ? "its length cannot be changed" : undefined;
}

function* resize({ subject }: Stage, pages: number): Steps<void> {
  if (subject.resize === undefined) throw new Error(`${subject.name} cannot be resized`);
  yield* succeed(`a change of its length to ${pages} pages`, subject.resize(pages));
}

/** A memory file of two pages, each beginning with a word: a descriptor. */
function* file({ subject: { pageSize } }: Stage): Steps<number> {
  const descriptor = yield* succeed("memfd_create", user.memfd("cut"));
  yield* succeed("ftruncate", user.ftruncate(descriptor, PAGES * pageSize));
  const address = yield* mapFile(descriptor, pageSize, "shared");
  for (let page = 0; page < PAGES; page++) yield* user.store(address + page * pageSize, WORD + page);
  yield* succeed("munmap", user.munmap(address, PAGES * pageSize));
  return descriptor;
}

function* mapFile(descriptor: number, pageSize: number, sharing: "shared" | "private"): Steps<number> {
  const request = { length: PAGES * pageSize, protection: READ_WRITE, sharing, descriptor } as const;
  return yield* succeed("mmap of a file", user.mmap(request));
}

/** O. Truncation and shrinking. */
export const truncationLaws: readonly AnyLaw[] = [
  {
    id: "TR-01",
    level: "required",
    owner: ["core"],
    rule: "a touch of a page past the end of a file MUST be SIGBUS with BUS_ADRERR; when the file has grown again the page MUST read as zeros",
    source: "mm/filemap.c filemap_fault; mm/shmem.c shmem_fault",
    cases: [
      {
        when: "",
        schedule: "sequential",
        *program(stage) {
          const { pageSize } = stage.subject;
          const descriptor = yield* file(stage);
          const address = yield* mapFile(descriptor, pageSize, "shared");
          const last = address + pageSize;
          mustBe("the last page", yield* user.load(last), WORD + 1);
          yield* succeed("ftruncate", user.ftruncate(descriptor, pageSize));
          mustBe("a load past the end", yield* user.load(last), SIGBUS);
          mustBe("a store past the end", yield* user.store(last, 1), SIGBUS);
          mustBe("the page before the end", yield* user.load(address), WORD);
          yield* succeed("ftruncate", user.ftruncate(descriptor, PAGES * pageSize));
          mustBe("the page that came back", yield* user.load(last), 0);
        },
      },
    ],
  },
  {
    id: "TR-02",
    level: "required",
    owner: ["core"],
    rule: "cutting an object off MUST take private copies past the end away as well, and MUST leave those before it",
    source: "mm/truncate.c truncate_pagecache, which unmaps with even_cows",
    cases: [
      {
        when: "a file",
        schedule: "sequential",
        *program(stage) {
          const { pageSize } = stage.subject;
          const descriptor = yield* file(stage);
          const address = yield* mapFile(descriptor, pageSize, "private");
          for (let page = 0; page < PAGES; page++) yield* user.store(address + page * pageSize, 40 + page);
          yield* succeed("ftruncate", user.ftruncate(descriptor, pageSize));
          mustBe("a private copy past the end", yield* user.load(address + pageSize), SIGBUS);
          mustBe("a private copy before the end", yield* user.load(address), 40);
        },
      },
      {
        when: "the object",
        schedule: "sequential",
        excluded: (stage) =>
          cannotBeResized(stage) ??
          (stage.subject.supports.privateWritable
            ? undefined
            : "no private writable mapping of it is accepted"),
        *program(stage) {
          const { subject } = stage;
          const last = presentPages(subject).at(-1) ?? 0;
          const address = yield* succeed("mmap", subject.map({ sharing: "private" }));
          yield* user.store(address, 40);
          yield* user.store(address + last * subject.pageSize, 41);
          yield* resize(stage, 1);
          mustBe("a private copy past the end", yield* user.load(address + last * subject.pageSize), SIGBUS);
          mustBe("a private copy before the end", yield* user.load(address), 40);
        },
      },
    ],
  },
  {
    id: "TR-03",
    level: "required",
    owner: ["core", "strategy"],
    rule: "a fault that meets a truncation MUST NOT leave a way to a page past the end, and faults MUST NOT keep the truncation from ending",
    source: "mm/filemap.c filemap_fault: looked at again under the page lock; mm/shmem.c (CVE-2014-4171)",
    cases: [
      {
        when: "a file",
        schedule: "racy",
        *program(stage) {
          const { pageSize } = stage.subject;
          const descriptor = yield* file(stage);
          const address = yield* mapFile(descriptor, pageSize, "shared");
          const last = address + pageSize;
          let isCut = false;
          const sibling = yield* user.thread(function* () {
            for (let turn = 0; turn < 3; turn++) {
              const wasCut = isCut;
              const seen = inWords(yield* user.load(last));
              const allowed = wasCut ? [SIGBUS] : [SIGBUS, inWords(WORD + 1)];
              must(allowed.includes(seen), `a load ends in ${seen}, and must end in ${allowed.join(" or ")}`);
            }
          });
          yield* succeed("ftruncate", user.ftruncate(descriptor, pageSize));
          isCut = true;
          mustBe("a load past the end", yield* user.load(last), SIGBUS);
          yield* user.join(sibling);
        },
      },
      {
        when: "the object",
        schedule: "racy",
        excluded: cannotBeResized,
        *program(stage) {
          const { subject } = stage;
          const page = presentPages(subject).at(-1) ?? 0;
          const address = yield* succeed("mmap", subject.map());
          const last = address + page * subject.pageSize;
          let isCut = false;
          const sibling = yield* user.thread(function* () {
            for (let turn = 0; turn < 3; turn++) {
              const wasCut = isCut;
              const seen = inWords(yield* user.load(last));
              const allowed = wasCut ? [SIGBUS] : [SIGBUS, inWords(subject.markOf(page))];
              must(allowed.includes(seen), `a load ends in ${seen}, and must end in ${allowed.join(" or ")}`);
            }
          });
          yield* resize(stage, 1);
          isCut = true;
          mustBe("a load past the end", yield* user.load(last), SIGBUS);
          yield* user.join(sibling);
        },
      },
    ],
  },
  {
    id: "TR-04",
    level: "required",
    owner: ["strategy"],
    rule: "a device that shrinks what it shows MUST cut off the tail in every mapping before the tail is given back; what has grown again MUST be there again",
    source: "mm/truncate.c truncate_pagecache, which unmaps twice for this; driver form by the gate",
    cases: [
      {
        when: "",
        schedule: "sequential",
        excluded: cannotBeResized,
        *program(stage) {
          const { subject } = stage;
          const { pages, pageSize } = subject;
          const address = yield* succeed("mmap", subject.map());
          const rest = yield* succeed("mmap of the rest", subject.map({ first: 1 }));
          const mustShowUpTo = function* (what: string, end: number): Steps<void> {
            for (const page of presentPages(subject)) {
              const expected = page < end ? subject.markOf(page) : SIGBUS;
              mustBe(`${what}: page ${page}`, yield* user.load(address + page * pageSize), expected);
              if (page === 0) continue;
              const elsewhere = yield* user.load(rest + (page - 1) * pageSize);
              mustBe(`${what}: page ${page} through the other mapping`, elsewhere, expected);
            }
          };
          yield* mustShowUpTo("before", pages);
          yield* resize(stage, 1);
          yield* mustShowUpTo("after it has shrunk", 1);
          yield* resize(stage, pages);
          yield* mustShowUpTo("after it has grown again", pages);
        },
      },
    ],
  },
];
