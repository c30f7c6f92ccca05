import { ENOMEM, VM_DONTEXPAND, VM_READ, VM_WRITE } from "@nopage/core";
import { pages } from "../mapping/right-strategies.ts";
import type { Mutant } from "../mutant.ts";
import { wrongCore, wrongMachine } from "./core-mutant.ts";
import { eachThread } from "./tamper.ts";

const law = { bug: "law" } as const;

/** Mistakes in what system calls do to memory that no driver has anything to do with. */
export const ordinaryMemoryMutants: readonly Mutant[] = [
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        const mremap = thread.mremap.bind(thread);
        const { pageSize } = thread.mm;
        thread.mremap = (request) =>
          mremap({ ...request, address: Math.floor(request.address / pageSize) * pageSize });
      }),
    {
      ...law,
      name: "mremap rounds its address down",
      source: "mm/mremap.c mremap (offset_in_page)",
      caughtBy: {
        "LC-21": /mremap of an address inside a page answers 0x[0-9a-f]+, and must fail with EINVAL/,
      },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        const mremap = thread.mremap.bind(thread);
        thread.mremap = (request) => mremap({ ...request, moving: "may-move" });
      }),
    {
      ...law,
      name: "memory moves without leave",
      source: "mm/mremap.c mremap (MREMAP_MAYMOVE)",
      caughtBy: {
        "LC-21": /mremap to a place, without leave to move answers 0x[0-9a-f]+, and must fail with EINVAL/,
        "LC-22": /growing in place answers 0x[0-9a-f]+, and must fail with ENOMEM/,
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
          const area = thread.mm.areas.find(answer);
          if (area !== undefined) area.flags |= VM_DONTEXPAND;
          return answer;
        };
      }),
    {
      ...law,
      name: "no area is ever merged",
      source: "mm/mmap.c vma_merge (VM_SPECIAL)",
      caughtBy: {
        "LC-23": /the areas of memory whose hole was filled, in pages is .*, and must be \[\[0, 3\]\]/,
      },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        const mprotect = thread.mprotect.bind(thread);
        thread.mprotect = function* (address, length, protection) {
          const answer = yield* mprotect(address, length, protection);
          const area = thread.mm.areas.find(address);
          if (answer === -ENOMEM && area !== undefined) area.flags ^= VM_READ;
          return answer;
        };
      }),
    {
      ...law,
      name: "mprotect changes the flags before it has split the area",
      source: "mm/mprotect.c mprotect_fixup",
      caughtBy: {
        "LC-24": /the pages after mprotect of .* without memory is .*, and must be/,
      },
    },
  ),
  wrongMachine(
    pages,
    { maxAreas: 1_000_000 },
    {
      ...law,
      name: "a process may have any number of areas",
      source: "mm/mmap.c do_mmap (sysctl_max_map_count)",
      caughtBy: { "LC-25": /munmap of a hole answers 0, and must fail with ENOMEM/ },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        const munmap = thread.munmap.bind(thread);
        thread.munmap = (address, length) => {
          const { table, pageSize } = thread.mm;
          if (table.find(address / pageSize) < 0 || table.level === 0) return munmap(address, length);
          const bytes = table.pagesAt(table.level) * pageSize;
          return munmap(Math.floor(address / bytes) * bytes, Math.ceil(length / bytes) * bytes);
        };
      }),
    {
      ...law,
      name: "munmap takes large leaves as a whole",
      source: "mm/huge_memory.c vma_adjust_trans_huge",
      caughtBy: { "LC-26": /page 0 of large leaves is SIGSEGV SEGV_MAPERR, and must be/ },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        const mmap = thread.mmap.bind(thread);
        thread.mmap = (request) =>
          mmap(request.placement === "fixed-noreplace" ? { ...request, placement: "fixed" } : request);
      }),
    {
      ...law,
      name: "MAP_FIXED_NOREPLACE replaces",
      source: "mm/mmap.c do_mmap (MAP_FIXED_NOREPLACE)",
      caughtBy: {
        "MM-11": /MAP_FIXED_NOREPLACE of 1 pages over page 0 answers 0x[0-9a-f]+, and must fail with EEXIST/,
      },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        const mmap = thread.mmap.bind(thread);
        thread.mmap = (request) => mmap({ ...request, populating: "on-demand" });
      }),
    {
      ...law,
      name: "MAP_POPULATE makes nothing",
      source: "mm/util.c vm_mmap_pgoff (mm_populate)",
      caughtBy: { "MM-12": /what is there of private memory is \[false, false, false\], and must be/ },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        const madvise = thread.madvise.bind(thread);
        thread.madvise = function* (address, length, advice) {
          const answer = yield* madvise(address, length, advice);
          return answer === -ENOMEM ? 0 : answer;
        };
      }),
    {
      ...law,
      name: "madvise says nothing of holes",
      source: "mm/madvise.c madvise_walk_vmas (unmapped_error)",
      caughtBy: { "MM-13": /dontneed over a hole answers 0, and must fail with ENOMEM/ },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        const msync = thread.msync.bind(thread);
        thread.msync = (address, length) => msync(address, length, {});
      }),
    {
      ...law,
      name: "msync invalidates what is locked",
      source: "mm/msync.c (MS_INVALIDATE)",
      caughtBy: { "MM-14": /invalidating what is locked answers 0, and must fail with EBUSY/ },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        const mincore = thread.mincore.bind(thread);
        thread.mincore = function* (address, length) {
          const found = yield* mincore(address, length);
          return typeof found === "number" ? found : found.map(() => true);
        };
      }),
    {
      ...law,
      name: "mincore finds every page",
      source: "mm/mincore.c __mincore_unmapped_range; CVE-2019-5489",
      caughtBy: { "MM-15": /its pages is \[true, true, true\], and must be \[true, false, true\]/ },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        const mprotect = thread.mprotect.bind(thread);
        const { areas } = thread.mm;
        thread.mprotect = function* (address, length, protection) {
          let covered = address;
          for (const { start, end } of areas.overlapping(address, address + length)) {
            if (start <= covered) covered = end;
          }
          return covered < address + length ? -ENOMEM : yield* mprotect(address, length, protection);
        };
      }),
    {
      ...law,
      name: "mprotect looks for holes first",
      source: "mm/mprotect.c do_mprotect_pkey",
      caughtBy: {
        "PE-07": /stores to the three pages is \[undefined, SIGSEGV SEGV_MAPERR, undefined\], and must be/,
      },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        const { mm } = thread;
        const mprotect = thread.mprotect.bind(thread);
        thread.mprotect = function* (address, length, protection) {
          const answer = yield* mprotect(address, length, protection);
          const areas =
            answer === 0 && (protection & VM_WRITE) !== 0
              ? mm.areas.overlapping(address, address + length)
              : [];
          for (const area of areas)
            if (area.isAnonymous) yield* mprotect(area.start, area.end - area.start, VM_READ);
          for (const area of areas) if (area.isAnonymous) area.flags |= VM_WRITE;
          return answer;
        };
      }),
    {
      ...law,
      name: "every page that becomes writable faults first",
      source: "mm/mprotect.c can_change_pte_writable",
      caughtBy: {
        "PE-08": /the number of minor faults of a store to a page of one's own is 1, and must be 0/,
      },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        const mlock = thread.mlock.bind(thread);
        const { mm } = thread;
        thread.mlock = function* (address, length) {
          const before = mm.lockedPages;
          const answer = yield* mlock(address, length);
          if (answer === 0 && mm.lockedPages === before) mm.lockedPages += length / mm.pageSize;
          return answer;
        };
      }),
    {
      ...law,
      name: "pages that are locked again are charged again",
      source: "mm/mlock.c mlock_fixup",
      caughtBy: { "RC-09": /VmLck is 2, and must be 1/ },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        const munmap = thread.munmap.bind(thread);
        const { pageSize } = thread.mm;
        thread.munmap = (address, length) => munmap(address, Math.floor(length / pageSize) * pageSize);
      }),
    {
      ...law,
      name: "munmap rounds its length down",
      source: "mm/mmap.c do_mas_munmap (PAGE_ALIGN)",
      caughtBy: {
        "LC-27": /what was unmapped: a load from page 3 of it is 0, and must be SIGSEGV SEGV_MAPERR/,
      },
    },
  ),
];
