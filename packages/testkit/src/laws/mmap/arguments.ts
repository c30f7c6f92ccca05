import { EACCES, EINVAL, ENODEV, ENOMEM, ENXIO, EOVERFLOW, errnoName, VM_READ, VM_WRITE } from "@nopage/core";
import { inWords, must, mustBe, mustFail, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { Subject, SubjectMapping } from "../../subject/subject.ts";
import type { AnyLaw } from "../law.ts";
import { countsOf } from "../support/hook-counts.ts";
import { mustShow } from "../support/shown-pages.ts";

/** Which arguments of mmap are refused, by whom, and with what. */
export const argumentLaws: readonly AnyLaw[] = [
  {
    id: "MM-01",
    level: "required",
    owner: ["core"],
    rule: "mmap of length 0 MUST fail with EINVAL and MUST NOT ask the driver",
    source: "mm/mmap.c do_mmap",
    cases: [
      {
        when: "",
        schedule: "sequential",
        about: ["mapping", "mirroring"],
        *program({ subject }) {
          yield* refusedUnasked(subject, { pages: 0 }, EINVAL);
          const anonymous = { length: 0, protection: VM_READ, sharing: "private" } as const;
          mustFail("mmap of no memory at all", yield* user.mmap(anonymous), EINVAL);
        },
      },
    ],
  },
  {
    id: "MM-02",
    level: "required",
    owner: ["core"],
    rule: "a length that wraps to 0 when it is rounded up to pages MUST fail with ENOMEM and MUST NOT reach the driver",
    source: "mm/mmap.c do_mmap (`len = PAGE_ALIGN(len)`)",
    cases: [
      {
        when: "",
        schedule: "sequential",
        about: ["mapping", "mirroring"],
        *program({ subject }) {
          // Less than a page below the largest length, and still a number that arithmetic here has exactly.
          const length = 2 ** subject.wordBits - 2048;
          yield* refusedUnasked(subject, { pages: length / subject.pageSize }, ENOMEM);
        },
      },
    ],
  },
  {
    id: "MM-03",
    level: "required",
    owner: ["core"],
    rule: "an offset and a length that wrap together MUST fail with EOVERFLOW and MUST NOT reach the driver",
    source: "mm/mmap.c do_mmap, file_mmap_ok",
    cases: [
      {
        when: "",
        schedule: "sequential",
        *program({ subject }) {
          yield* refusedUnasked(subject, { first: offsetLimit(subject) - 1, pages: 2 }, EOVERFLOW);
        },
      },
    ],
  },
  {
    id: "MM-04",
    level: "required",
    owner: ["core"],
    rule: "a file MUST be open for reading to be mapped at all, and for writing to be mapped shared and writable; otherwise EACCES",
    source: "mm/mmap.c do_mmap",
    cases: [
      {
        when: "opened for reading",
        schedule: "sequential",
        *program({ subject }) {
          const descriptor = yield* succeed("open for reading", subject.open("read"));
          yield* refusedUnasked(subject, { descriptor, protection: VM_READ | VM_WRITE }, EACCES);
          yield* refusedUnasked(subject, { descriptor, protection: VM_WRITE }, EACCES);
          const reading = subject.map({ descriptor, protection: VM_READ });
          const address = yield* succeed("a shared mapping for reading", reading);
          yield* mustShow(subject, "the mapping for reading", { address, first: 0, pages: subject.pages });
          yield* user.close(descriptor);
        },
      },
      {
        when: "opened for writing",
        schedule: "sequential",
        *program({ subject }) {
          const descriptor = yield* succeed("open for writing", subject.open("write"));
          for (const sharing of ["shared", "private"] as const) {
            for (const protection of [0, VM_READ, VM_WRITE, VM_READ | VM_WRITE]) {
              yield* refusedUnasked(subject, { descriptor, sharing, protection }, EACCES);
            }
          }
          yield* user.close(descriptor);
        },
      },
    ],
  },
  {
    id: "MM-05",
    level: "required",
    owner: ["core"],
    rule: "mmap of a file without an mmap hook MUST fail with ENODEV",
    source: "mm/mmap.c do_mmap; drivers/char/mem.c null_fops",
    cases: [
      {
        when: "",
        schedule: "sequential",
        *program({ subject: { pageSize } }) {
          const open = user.open({ path: "/dev/null", mode: "read-write", blocking: "blocking" });
          const descriptor = yield* succeed("open of /dev/null", open);
          for (const sharing of ["shared", "private"] as const) {
            const request = { length: pageSize, protection: VM_READ, sharing, descriptor };
            mustFail(`a ${sharing} mapping of /dev/null`, yield* user.mmap(request), ENODEV);
          }
          yield* user.close(descriptor);
        },
      },
    ],
  },
  {
    id: "MM-07",
    level: "required",
    owner: ["strategy"],
    rule: "a range that is not wholly inside the object MUST be refused, by arithmetic that does not wrap",
    source:
      "mm/memory.c vm_iomap_memory, __vm_map_pages; drivers/pci/mmap.c; CVE-2013-2596, CVE-2018-8781, CVE-2013-6763",
    cases: [
      {
        when: "ranges that end past the object",
        schedule: "sequential",
        *program({ subject }) {
          const { pages } = subject;
          yield* refusedOutside(subject, { pages: pages + 1 });
          yield* refusedOutside(subject, { pages: 2 * pages });
          for (let first = 1; first <= pages; first++) {
            yield* refusedOutside(subject, { first, pages: pages - first + 1 });
            yield* refusedOutside(subject, { first, pages });
          }
          yield* refusedOutside(subject, { first: 16 * pages, pages: 1 });
        },
      },
      {
        when: "offsets and lengths that wrap",
        schedule: "sequential",
        *program({ subject }) {
          const { pages, pageSize } = subject;
          const limits = [2 ** 31 / pageSize, 2 ** 32 / pageSize, 2 ** 31, 2 ** 32, offsetLimit(subject)];
          for (const limit of limits) {
            for (const length of [1, pages]) {
              for (const first of [limit - length - 1, limit - length, limit]) {
                yield* refusedOutside(subject, { first, pages: length });
              }
            }
          }
          for (const first of [0, 1, pages - 1]) {
            yield* refusedOutside(subject, { first, pages: 2 ** 32 / pageSize - first });
            yield* refusedOutside(subject, { first, pages: 2 ** 32 / pageSize });
          }
        },
      },
      {
        when: "ranges inside it are accepted",
        schedule: "sequential",
        *program({ subject }) {
          for (let first = 0; first < subject.pages; first++) {
            for (let pages = 1; pages <= subject.pages - first; pages++) {
              const what = `object pages [${first}, ${first + pages})`;
              const address = yield* succeed(`mmap of ${what}`, subject.map({ first, pages }));
              yield* mustShow(subject, what, { address, first, pages });
              mustBe("munmap", yield* user.munmap(address, pages * subject.pageSize), 0);
            }
          }
        },
      },
    ],
  },
];

/** The first page offset whose bytes an `unsigned long` does not count. */
function offsetLimit({ wordBits, pageSize }: Subject): number {
  return 2 ** wordBits / pageSize;
}

/** A mapping that must be refused with an errno, without a call of the driver's mmap hook. */
function* refusedUnasked(subject: Subject, mapping: SubjectMapping, errno: number): Steps<void> {
  const before = yield* countsOf(subject);
  const what = `mmap of ${JSON.stringify(mapping)}`;
  mustFail(what, yield* subject.map(mapping), errno);
  const after = yield* countsOf(subject);
  must(after.mmaps === before.mmaps, `${what} asks the driver's mmap hook, and must not`);
}

/** What drivers answer to a range outside their object, and the core to one that no object can have. */
const outside = [EINVAL, ENXIO, EOVERFLOW, ENOMEM];

function* refusedOutside(subject: Subject, mapping: SubjectMapping): Steps<void> {
  const { first = 0, pages } = mapping;
  const answer = yield* subject.map(mapping);
  must(
    outside.includes(-answer),
    `mmap of ${pages} pages from object page ${first} on, of an object of ${subject.pages}, answers ` +
      `${inWords(answer)}, and must fail with one of ${outside.map(errnoName).join(", ")}`,
  );
}
