import { mustSucceed } from "@nopage/testkit/executor";
import { lab } from "../execute/lab-calls.ts";
import { defineSubject, PAGE_BYTES } from "../subject/lab-subject.ts";
import { KeptDescriptor } from "./kept-descriptor.ts";
import { mapAllOrNothing } from "./map-all-or-nothing.ts";
import { markPages, peekThrough, pokeThrough } from "./marking.ts";

/** Entries of 64 bytes, which fill the pages. */
const ENTRIES = 256;
const PAGES = (ENTRIES * 64) / PAGE_BYTES;

/** `struct io_uring_params`. */
const PARAMS_BYTES = 120;

/** `IORING_OFF_SQES`, in pages. */
const SQES = 0x1000_0000 / PAGE_BYTES;

const LENGTH_UNCHECKED =
  "io_uring_mmap_pages puts in as many pages as the ring has, however long the area is: of one that is longer the rest stays empty";

const NO_ADDRESS =
  "io_uring_mmu_get_unmapped_area refuses every address that user space names, with EINVAL and before anything is unmapped: also that of mremap";

/**
 * The submission entries of an io_uring, which nobody submits: io_uring/io_uring.c `io_uring_mmap` maps all of them at once by
 * `vm_insert_pages`, as the stable releases of 6.1 have it from later kernels (before that, by `remap_pfn_range`).
 */
export const uring = defineSubject({
  name: "uring",
  pages: PAGES,
  supports: {
    populate: "eager",
    whileRevoked: "nothing",
    mremapGrow: false,
    countsPages: true,
    privateWritable: true,
  },
  explained: [
    {
      law: "MM-06",
      when: "over private memory, with a hook that refuses",
      seen: [
        "the range of the failed mapping: a load from page 0 of it is 2, and must be SIGSEGV SEGV_MAPERR",
      ],
      reason: NO_ADDRESS,
    },
    {
      law: "MM-07",
      when: "ranges that end past the object",
      seen: [
        "mmap of 5 pages from object page 0 on, of an object of 4, answers an address, and must fail with one of EINVAL, ENXIO, EOVERFLOW, ENOMEM",
      ],
      reason: LENGTH_UNCHECKED,
    },
    {
      law: "MM-07",
      when: "offsets and lengths that wrap",
      seen: [
        "mmap of 1048576 pages from object page 0 on, of an object of 4, answers an address, and must fail with one of EINVAL, ENXIO, EOVERFLOW, ENOMEM",
      ],
      reason: LENGTH_UNCHECKED,
    },
    {
      law: "LC-02",
      seen: ["mremap of 2 pages to another place is -EINVAL, and must be an address"],
      reason: NO_ADDRESS,
    },
    {
      law: "LC-12",
      when: "whole, twice",
      seen: ["mremap of 4 pages to another place is -EINVAL, and must be an address"],
      reason: NO_ADDRESS,
    },
    {
      law: "LC-12",
      when: "a page that was never touched",
      seen: ["mremap of 1 pages to another place is -EINVAL, and must be an address"],
      reason: NO_ADDRESS,
    },
    {
      law: "LC-12",
      when: "by a forked child, and by its parent afterwards",
      seen: ["mremap of 4 pages to another place is -EINVAL, and must be an address"],
      reason: NO_ADDRESS,
    },
    {
      law: "LC-14",
      when: "shrinking and moving",
      seen: ["mremap of 3 pages to another place is -EINVAL, and must be an address"],
      reason: NO_ADDRESS,
    },
    {
      law: "LC-14",
      when: "shrinking by a move",
      seen: ["mremap to a shorter length at another place is -EINVAL, and must be an address"],
      reason: NO_ADDRESS,
    },
    {
      law: "FR-16",
      when: "touched for the first time after a split and a move",
      seen: ["mremap fails with EINVAL, and must succeed"],
      reason: NO_ADDRESS,
    },
    { law: "PF-06", seen: ["mmap fails with EINVAL, and must succeed"], reason: NO_ADDRESS },
    {
      law: "RC-02",
      when: "a whole life",
      seen: ["mremap of a page fails, and must succeed"],
      reason: NO_ADDRESS,
    },
  ],
  *setUp() {
    const { result } = yield* lab.call("io_uring_setup", ENTRIES, { room: PARAMS_BYTES });
    const kept = yield* KeptDescriptor.of(mustSucceed("io_uring_setup", result));
    const open = () => kept.open();
    const view = { open, pages: PAGES, base: SQES };
    yield* markPages(view);
    return {
      open: (mode) => kept.open(mode),
      map: (mapping) => mapAllOrNothing(open, PAGES, mapping, SQES),
      peek: (page) => peekThrough(view, page),
      poke: (page, value) => pokeThrough(view, page, value),
    };
  },
});
