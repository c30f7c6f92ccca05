import { VM_READ } from "@nopage/core";
import { mustSucceed, type Steps, user } from "@nopage/testkit/executor";
import { lab } from "../execute/lab-calls.ts";
import { NotObservable } from "../execute/lab-executor.ts";
import { defineSubject, mapWhole, PAGE_BYTES } from "../subject/lab-subject.ts";
import { fullMachine } from "./full-machine.ts";

const PAGES = 4;

const PATH = "/dev/usbmon0";

/** `_IO(0x92, 4)`: drivers/usb/mon/mon_bin.c. */
const MON_IOCT_RING_SIZE = 0x9204;

const LENGTH_UNCHECKED =
  "mon_bin_mmap looks at no length and no offset: it is the touch past the end that fails (LK-06)";

const READING_ONLY = "mon_bin_mmap lets it be mapped for reading only (PE-01)";

/**
 * The ring in which usbmon shows what happens on USB, where nothing happens: drivers/usb/mon/mon_bin.c `mon_bin_vma_fault` hands
 * over one page at a time, for reading only. Each open has a ring of its own, and all of them are zero.
 */
export const usbmon = defineSubject({
  ...fullMachine,
  name: "usbmon",
  module: "usbmon",
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
      law: "MM-06",
      when: "over private memory, with a hook that refuses",
      seen: ["mmap of a range outside the object succeeds, and must fail"],
      reason: LENGTH_UNCHECKED,
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
        "mmap of 1 pages from object page 524286 on, of an object of 4, answers an address, and must fail with one of EINVAL, ENXIO, EOVERFLOW, ENOMEM",
      ],
      reason: LENGTH_UNCHECKED,
    },
    { law: "RC-06", seen: ["a mapping outside the object succeeds"], reason: LENGTH_UNCHECKED },
    {
      law: "MO-02",
      when: "after a mapping that failed",
      seen: ["more than the object can be mapped"],
      reason: LENGTH_UNCHECKED,
    },
    {
      law: "RV-01",
      when: "what two CPUs have a translation of",
      seen: [
        "a store is SIGSEGV SEGV_ACCERR, and must be undefined",
        "a store by the other CPU is SIGSEGV SEGV_ACCERR, and must be undefined",
      ],
      reason: READING_ONLY,
    },
    {
      law: "PF-09",
      when: "counted pages",
      seen: ["madvise populate-write is -EINVAL, and must be 0"],
      reason: READING_ONLY,
    },
    {
      law: "PF-01",
      when: "a strategy that refuses copies",
      seen: ["a private writable mapping answers -EPERM, and must fail with EINVAL"],
      reason:
        "it refuses all writing, with EPERM; private mappings for reading cannot become more, as VM_MAYWRITE is taken from them",
    },
  ],
  *setUp() {
    const opened = yield* openRing();
    if (opened >= 0) yield* user.close(opened);
    else mustSucceed("loading usbmon", yield* lab.insertModule("/modules/usbmon.ko"));
    return {
      open: openRing,
      map: (mapping = {}) =>
        // Shared and writable it cannot be mapped at all; private and writable is what programs ask for to see it refused.
        mapWhole(
          openRing,
          PAGES,
          mapping.sharing === "private" ? mapping : { protection: VM_READ, ...mapping },
        ),
      markOf: () => 0,
      put() {
        throw new NotObservable("it is mapped for reading only");
      },
    };
  },
});

/** Opens a ring of the subject's size, which can be set while nobody maps it. */
function* openRing(mode: "read" | "write" | "read-write" = "read-write"): Steps<number> {
  const descriptor = yield* user.open({ path: PATH, mode, blocking: "nonblocking" });
  if (descriptor >= 0) {
    mustSucceed("ring size", yield* user.ioctl(descriptor, MON_IOCT_RING_SIZE, PAGES * PAGE_BYTES));
  }
  return descriptor;
}
