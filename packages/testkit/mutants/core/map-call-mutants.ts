import { EAGAIN, EINVAL, ENODEV, ENOMEM, type Machine } from "@nopage/core";
import { frames, pages } from "../mapping/right-strategies.ts";
import type { Mutant } from "../mutant.ts";
import { wrongCore } from "./core-mutant.ts";
import { eachThread } from "./tamper.ts";

const law = { bug: "law" } as const;

/** Mistakes in mmap, munmap and mprotect. */
export const mapCallMutants: readonly Mutant[] = [
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        const mmap = thread.mmap.bind(thread);
        thread.mmap = (request) => mmap({ ...request, length: request.length || thread.mm.pageSize });
      }),
    {
      ...law,
      name: "mmap of nothing maps a page",
      source: "mm/mmap.c do_mmap (!len)",
      caughtBy: { "MM-01": /and must fail with EINVAL/ },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        const mmap = thread.mmap.bind(thread);
        thread.mmap = (request) => mmap(request.length > 2 ** 63 ? { ...request, length: 0 } : request);
      }),
    {
      ...law,
      name: "a length that wraps is taken for 0",
      source: "mm/mmap.c do_mmap (PAGE_ALIGN)",
      caughtBy: { "MM-02": /answers -EINVAL, and must fail with ENOMEM/ },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        const mmap = thread.mmap.bind(thread);
        thread.mmap = (request) => mmap((request.pgoff ?? 0) > 2 ** 40 ? { ...request, pgoff: 0 } : request);
      }),
    {
      ...law,
      name: "an offset that wraps is taken for 0",
      source: "mm/mmap.c do_mmap (EOVERFLOW)",
      caughtBy: { "MM-03": /and must fail with EOVERFLOW/ },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        const open = thread.open.bind(thread);
        thread.open = (request) => open({ ...request, mode: "read-write" });
      }),
    {
      ...law,
      name: "every file is open for reading and writing",
      source: "mm/mmap.c do_mmap (FMODE_WRITE)",
      caughtBy: {
        "MM-04": /and must fail with EACCES/,
        "MM-09": /a mapping of a file that is open for reading may become writable, and must not/,
        "PE-02": /and must fail with EACCES/,
        "PE-03": /mprotect of what was opened for reading answers -EPERM, and must fail with EACCES/,
      },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        const mmap = thread.mmap.bind(thread);
        thread.mmap = function* (request) {
          const answer = yield* mmap(request);
          if (answer !== -ENODEV) return answer;
          const { descriptor, ...anonymous } = request;
          return yield* mmap(anonymous);
        };
      }),
    {
      ...law,
      name: "a file without an mmap hook is mapped",
      source: "mm/mmap.c do_mmap (ENODEV)",
      caughtBy: { "MM-05": /and must fail with ENODEV/ },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        const mmap = thread.mmap.bind(thread);
        thread.mmap = function* (request) {
          if (request.placement !== "fixed") return yield* mmap(request);
          const { address, placement, ...anywhere } = request;
          const tried = yield* mmap(anywhere);
          if (tried < 0) return tried;
          yield* thread.munmap(tried, request.length);
          return yield* mmap(request);
        };
      }),
    {
      ...law,
      name: "a fixed mapping is tried elsewhere first",
      source: "mm/mmap.c mmap_region",
      caughtBy: {
        "LC-11": /the number of closes after unmapping the neighbours is 8, and must be 4/,
        "MM-06": /the range of the failed mapping: a load from page 0 of it is 2, and must be SIGSEGV/,
      },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        const mmap = thread.mmap.bind(thread);
        thread.mmap = function* (request) {
          const answer = yield* mmap(request);
          return answer < 0 && request.descriptor !== undefined ? -EAGAIN : answer;
        };
      }),
    {
      ...law,
      name: "every error of mmap is EAGAIN",
      source: "mail of 1997: return -EAGAIN",
      caughtBy: { "MM-01": /answers -EAGAIN, and must fail with EINVAL/ },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        const mmap = thread.mmap.bind(thread);
        thread.mmap = (request) => mmap({ ...request, sharing: "shared" });
      }),
    {
      ...law,
      name: "a private mapping is made shared",
      source: "mm/memory.c do_cow_fault",
      caughtBy: {
        "GP-07": /bytes written by force is 0, and must be 4/,
        "PE-06": /that the private copies are in a core dump is false, and must be true/,
        "RV-09": /the references of the page at each end that madvise tells of is \[2\], and must be \[1\]/,
      },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        thread.munmap = pageByPage(machine, thread.munmap.bind(thread));
      }),
    {
      ...law,
      name: "munmap goes page by page",
      source: "mm/mmap.c do_mas_align_munmap",
      caughtBy: {
        "LC-06":
          /what the driver sees of munmap is \[close, 0 entries, close, 0 entries, release\], and must/,
        "LC-08": /the number of opens after punching a hole is 3, and must be 2/,
      },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        const munmap = thread.munmap.bind(thread);
        thread.munmap = function* (address, length) {
          yield* munmap(address, length);
          return 0;
        };
      }),
    {
      ...law,
      name: "munmap says that it has done what was refused",
      source: "mm/mmap.c __split_vma (may_split)",
      caughtBy: { "LC-09": /munmap of the first page, against a veto answers 0, and must fail with EBUSY/ },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        const { mm } = thread;
        const munmap = thread.munmap.bind(thread);
        thread.munmap = function* (address, length) {
          for (const { file } of mm.areas.overlapping(address, address + length)) {
            if (file === undefined) continue;
            yield* machine.dropFile(file);
            machine.keepFile(file);
          }
          return yield* munmap(address, length);
        };
      }),
    {
      ...law,
      name: "the file is given back before the area is closed",
      source: "mm/mmap.c remove_vma",
      caughtBy: {
        "LC-06": /what the driver sees of munmap is \[release, close, 0 entries, release\], and must be/,
      },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        const munmap = thread.munmap.bind(thread);
        thread.munmap = function* (address, length) {
          const answer = yield* munmap(address, length);
          thread.mm.totalPages += 1;
          return answer;
        };
      }),
    {
      ...law,
      name: "munmap leaves a page on the account",
      source: "mm/mmap.c vm_stat_account",
      caughtBy: { "RC-06": /what is left of it is 4, and must be 3/ },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        thread.mprotect = function* () {
          return 0;
        };
      }),
    {
      ...law,
      name: "mprotect does nothing",
      source: "mm/mprotect.c do_mprotect_pkey",
      caughtBy: {
        "FR-05": /a store to a mapping that mprotect made one for reading is undefined, and must be SIGSEGV/,
        "PE-07": /a store to page 0 is undefined, and must be SIGSEGV SEGV_ACCERR/,
      },
    },
  ),
  wrongCore(
    frames,
    (machine) =>
      eachThread(machine, (thread) => {
        const madvise = thread.madvise.bind(thread);
        thread.madvise = function* (address, length, advice) {
          const answer = yield* madvise(address, length, advice);
          return answer === -EINVAL ? 0 : answer;
        };
      }),
    {
      ...law,
      name: "madvise refuses nothing",
      source: "mm/madvise.c",
      caughtBy: {
        "PF-09": /madvise dontneed is 0, and must be -EINVAL/,
        "RE-10": /MADV_DONTNEED is 0, and must be -EINVAL/,
      },
    },
  ),
  wrongCore(
    frames,
    (machine) =>
      eachThread(machine, (thread) => {
        thread.mlock = function* () {
          return -ENOMEM;
        };
      }),
    {
      ...law,
      name: "mlock refuses everything",
      source: "mm/mlock.c mlock_fixup",
      caughtBy: { "RC-07": /mlock is -ENOMEM, and must be 0/ },
    },
  ),
];

function pageByPage(
  { geometry: { pageSize } }: Machine,
  munmap: (address: number, length: number) => Generator<never, number, void> | ReturnType<UnmapCall>,
): UnmapCall {
  return function* (address, length) {
    let answer = 0;
    for (let at = 0; at < length && answer === 0; at += pageSize) {
      answer = yield* munmap(address + at, Math.min(pageSize, length - at));
    }
    return answer;
  };
}

type UnmapCall = import("@nopage/core").UserThread["munmap"];
