import { ENOMEM, VM_DONTEXPAND, VM_READ } from "@nopage/core";
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
];
