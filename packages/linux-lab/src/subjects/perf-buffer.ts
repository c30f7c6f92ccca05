import { VM_READ, VM_WRITE } from "@nopage/core";
import { markOf, mustSucceed, user } from "@nopage/testkit/executor";
import { lab } from "../execute/lab-calls.ts";
import { defineSubject } from "../subject/lab-subject.ts";
import { KeptDescriptor } from "./kept-descriptor.ts";
import { mapAllOrNothing } from "./map-all-or-nothing.ts";
import { peekThrough } from "./marking.ts";

/** A page that user space writes, and those of the data, the number of which is a power of two. */
const PAGES = 1 + 2;

/** Up to where `struct perf_event_attr` was first published. */
const ATTRIBUTE_BYTES = 64;
const PERF_TYPE_SOFTWARE = 1;
const PERF_COUNT_SW_DUMMY = 9;

const NOT_SPLIT = "perf_mmap_may_split refuses every split of the area with EINVAL";

const NOT_INHERITED = "perf_mmap sets VM_DONTCOPY: a child has no such mapping (LC-04)";

const FIRST_ONLY = "perf_mmap_fault lets only the first page of it be written";

/**
 * The buffer of a perf event that counts nothing: kernel/events/core.c `perf_mmap_fault` of 6.1 hands over one page at a time;
 * the area may not be split and is not given to children. Only the first page can be written; the others stay zero here.
 */
export const perfBuffer = defineSubject({
  name: "perf",
  pages: PAGES,
  supports: {
    populate: "lazy",
    whileRevoked: "nothing",
    mremapGrow: false,
    countsPages: true,
    privateWritable: false,
  },
  explained: [
    {
      law: "LC-10",
      when: "cut at the front",
      seen: ["munmap of 1 pages is -EINVAL, and must be 0"],
      reason: NOT_SPLIT,
    },
    {
      law: "LC-10",
      when: "cut at the front, and touched only then",
      seen: ["munmap of 2 pages is -EINVAL, and must be 0"],
      reason: NOT_SPLIT,
    },
    {
      law: "LC-10",
      when: "split by mprotect",
      seen: ["mprotect fails with EINVAL, and must succeed"],
      reason: NOT_SPLIT,
    },
    {
      law: "LC-12",
      when: "a page that was never touched",
      seen: ["mremap of 1 pages to another place is -EINVAL, and must be an address"],
      reason: NOT_SPLIT,
    },
    {
      law: "LC-12",
      when: "by a forked child, and by its parent afterwards",
      seen: ["mremap of 3 pages to another place is -EINVAL, and must be an address"],
      reason: NOT_INHERITED,
    },
    {
      law: "LC-14",
      when: "shrinking and moving",
      seen: ["mremap to a shorter length is -EINVAL, and must be an address"],
      reason: NOT_SPLIT,
    },
    {
      law: "LC-14",
      when: "shrinking by a move",
      seen: ["mremap to a shorter length at another place is -EINVAL, and must be an address"],
      reason: NOT_SPLIT,
    },
    {
      law: "FR-16",
      when: "touched for the first time after a split and a move",
      seen: ["munmap of page 0 fails with EINVAL, and must succeed"],
      reason: NOT_SPLIT,
    },
    {
      law: "RE-11",
      seen: ["the child's mapping: object page 0 is SIGSEGV SEGV_MAPERR, and must be 0xface0000"],
      reason: NOT_INHERITED,
    },
    {
      law: "PF-06",
      seen: ["a store to page 1 ends in SIGBUS BUS_ADRERR, and must reach its page"],
      reason: FIRST_ONLY,
    },
    {
      law: "PF-09",
      when: "counted pages",
      seen: ["madvise populate-write is -EFAULT, and must be 0"],
      reason: FIRST_ONLY,
    },
    {
      law: "LK-05",
      when: "the rest of each page",
      seen: [/^byte 8 of page 0 is \d+, and must be 0$/],
      reason: "the first page is where the kernel tells how the event stands",
    },
    {
      law: "RC-02",
      when: "pages that come and go one by one",
      seen: ["what a mapping with 2 pages left adds to VmRSS, in pages is 3, and must be 2"],
      reason: NOT_SPLIT,
    },
    {
      law: "RC-02",
      when: "a whole life",
      seen: ["mremap of a page fails, and must succeed"],
      reason: NOT_SPLIT,
    },
    { law: "RC-06", seen: ["munmap of one page is -EINVAL, and must be 0"], reason: NOT_SPLIT },
    {
      law: "RV-01",
      when: "what two CPUs have a translation of",
      seen: [
        "mprotect fails with EINVAL, and must succeed",
        "its store after mprotect is undefined, and must be SIGSEGV SEGV_ACCERR",
      ],
      reason: NOT_SPLIT,
    },
    {
      law: "RV-01",
      when: "a write protection",
      seen: ["mprotect fails with EINVAL, and must succeed"],
      reason: NOT_SPLIT,
    },
    {
      law: "PE-01",
      when: "what mmap refuses, mprotect must refuse",
      seen: ["mprotect for reading fails with EINVAL, and must succeed"],
      reason: NOT_SPLIT,
    },
  ],
  *setUp() {
    const attributes = new DataView(new ArrayBuffer(ATTRIBUTE_BYTES));
    attributes.setUint32(0, PERF_TYPE_SOFTWARE, true);
    attributes.setUint32(4, ATTRIBUTE_BYTES, true);
    attributes.setBigUint64(8, BigInt(PERF_COUNT_SW_DUMMY), true);
    const asBytes = new Uint8Array(attributes.buffer);
    const ofThisProcess = [0, -1, -1, 0] as const;
    const { result } = yield* lab.call("perf_event_open", asBytes, ...ofThisProcess);
    const kept = yield* KeptDescriptor.of(mustSucceed("perf_event_open", result));
    const open = () => kept.open();
    // The buffer is there for as long as somebody maps it: this mapping stays.
    const mapped = yield* mapAllOrNothing(open, PAGES, { protection: VM_READ | VM_WRITE });
    yield* user.store(mustSucceed("mmap", mapped), markOf(0));
    return {
      open: (mode) => kept.open(mode),
      map: (mapping) => mapAllOrNothing(open, PAGES, mapping),
      markOf: (page) => (page === 0 ? markOf(0) : 0),
      peek: (page) => peekThrough({ open, pages: PAGES }, page),
    };
  },
});
