import { EFAULT, EINVAL, VM_DONTEXPAND, VM_PFNMAP } from "@nopage/core";
import { frames, pages } from "../mapping/right-strategies.ts";
import type { Mutant } from "../mutant.ts";
import { wrongCore } from "./core-mutant.ts";
import { eachThread } from "./tamper.ts";

const law = { bug: "law" } as const;

/** Mistakes in mremap. */
export const moveCallMutants: readonly Mutant[] = [
  wrongCore(
    frames,
    (machine) =>
      eachThread(machine, (thread) => {
        const mremap = thread.mremap.bind(thread);
        thread.mremap = function* (request) {
          const area = thread.mm.areas.find(request.address);
          if (area !== undefined) area.flags &= ~(VM_DONTEXPAND | VM_PFNMAP);
          return yield* mremap(request);
        };
      }),
    {
      ...law,
      name: "a mapping of a fixed size grows",
      source: "mm/mremap.c vma_to_resize",
      caughtBy: { "LC-14": /and must fail with EFAULT/ },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        const mremap = thread.mremap.bind(thread);
        thread.mremap = function* (request) {
          return request.newLength > request.oldLength ? -EFAULT : yield* mremap(request);
        };
      }),
    {
      bug: "B18",
      name: "no mapping grows",
      source: "mm, mremap: fix mremap() expanding for vma's with vm_ops->close()",
      caughtBy: { "LC-15": /growing in place is -EFAULT, and must be/ },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        const mremap = thread.mremap.bind(thread);
        thread.mremap = function* (request) {
          return request.oldLength === 0 ? -EINVAL : yield* mremap(request);
        };
      }),
    {
      ...law,
      name: "a mapping cannot be duplicated",
      source: "mm/mremap.c vma_to_resize (old_len 0)",
      caughtBy: { "LC-16": /mremap of old length 0 fails with EINVAL, and must succeed/ },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        const mremap = thread.mremap.bind(thread);
        thread.mremap = function* (request) {
          const { mm } = thread;
          const answer = yield* mremap(request);
          const area = mm.areas.find(request.address);
          if (answer > 0 && area !== undefined && answer !== request.address) {
            yield* thread.munmap(request.address, request.oldLength);
          }
          return answer;
        };
      }),
    {
      ...law,
      name: "the old range goes although it was to be kept",
      source: "mm/mremap.c move_vma (MREMAP_DONTUNMAP)",
      caughtBy: { "LC-17": /the number of closes after a move that keeps the old range is 1, and must be 0/ },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        const mremap = thread.mremap.bind(thread);
        thread.mremap = function* (request) {
          const area = thread.mm.areas.find(request.address);
          if (area?.ops !== undefined) {
            const { mremap: hook, ...ops } = area.ops;
            area.ops = ops;
          }
          return yield* mremap(request);
        };
      }),
    {
      bug: "B09",
      name: "the mremap hook is not asked",
      source: "mm/mremap.c move_vma; CVE-2026-23056 uacce",
      caughtBy: {
        "LC-12": /what the driver sees of a move is \[open of the new area: 2 old entries, 0 new, 1 stale/,
        "LC-13": /and must fail with EBUSY/,
      },
    },
  ),
];
