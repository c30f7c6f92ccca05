import { hwpoison, type installed, oom, sigbus, sigsegv } from "@nopage/core";
import { finished } from "#src/model/finished";
import { pages } from "../mapping/right-strategies.ts";
import type { Mutant } from "../mutant.ts";
import { wrongCore } from "./core-mutant.ts";
import { eachOps } from "./tamper.ts";

const law = { bug: "law" } as const;

/** What a fault's answer is taken for, instead of what it is. */
function translated(from: string, to: typeof sigbus | typeof sigsegv | typeof installed | typeof oom) {
  return (machine: Parameters<typeof eachOps>[0]) =>
    eachOps(machine, (ops) => {
      const { nopage } = ops;
      if (nopage === undefined) return ops;
      return {
        ...ops,
        *nopage(fault) {
          const answer = yield* finished(nopage.call(ops, fault));
          return answer?.kind === from ? to : answer;
        },
      };
    });
}

/** Mistakes in what the core makes of a hook's answer. */
export const outcomeMutants: readonly Mutant[] = [
  wrongCore(pages, translated(oom.kind, sigbus), {
    ...law,
    name: "lack of memory is SIGBUS",
    source: "mm/memory.c VM_FAULT_OOM; arch/x86/mm/fault.c pagefault_out_of_memory",
    caughtBy: {
      "FR-03": /a load that found no memory three times ends in SIGBUS BUS_ADRERR, and must reach its page/,
      "FR-10": /get_user_pages of oom answers -EFAULT, and must fail with ENOMEM/,
    },
  }),
  wrongCore(pages, translated(hwpoison.kind, sigbus), {
    bug: "B70",
    name: "a broken frame is a plain SIGBUS",
    source: "arch/x86/mm/fault.c do_sigbus (BUS_MCEERR_AR)",
    caughtBy: {
      "FR-04": /a load that the hook answers with hwpoison is SIGBUS BUS_ADRERR, and must be SIGBUS/,
    },
  }),
  wrongCore(pages, translated(sigsegv.kind, sigbus), {
    ...law,
    name: "a handler's SIGSEGV is SIGBUS",
    source: "arch/x86/mm/fault.c mm_fault_error",
    caughtBy: {
      "FR-04": /a load that the hook answers with sigsegv is SIGBUS BUS_ADRERR, and must be SIGSEGV/,
    },
  }),
  wrongCore(
    pages,
    (machine) =>
      eachOps(machine, (ops) => ({
        ...ops,
        maySplit(area, address) {
          try {
            return ops.maySplit?.(area, address) ?? 0;
          } catch {
            return 0;
          }
        },
      })),
    {
      ...law,
      name: "a hook that throws is taken for one that agrees",
      source: "mm/mmap.c __split_vma, which asks and believes the answer",
      caughtBy: {
        "FR-17": /munmap for which the hook threw Error: not today is 0, and must be -EINVAL/,
      },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachOps(machine, (ops) => {
        const { mkwrite, ...rest } = ops;
        return rest;
      }),
    {
      ...law,
      name: "mkwrite is not asked",
      source: "mm/memory.c do_page_mkwrite",
      caughtBy: {
        "AT-01":
          /hooks that ran is \[close, mmap, nopage, open\], and must be \[close, mkwrite, mmap, nopage/,
        "FR-07": /nobody has reported the contract that the program provokes/,
        "FR-15": /the store that is refused is undefined, and must be SIGBUS BUS_ADRERR/,
      },
    },
  ),
  wrongCore(
    pages,
    (machine) => {
      Object.defineProperty(machine.reserved, "fillsHoles", { get: () => true });
    },
    {
      ...law,
      name: "an area of a driver without a handler becomes anonymous memory",
      source: "mm/memory.c do_anonymous_page before vma_set_anonymous",
      caughtBy: { "MM-10": /a load is 0, and must be SIGBUS BUS_ADRERR/ },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachOps(machine, (ops) => {
        const { open } = ops;
        return {
          ...ops,
          *open(area) {
            const { mapping } = area;
            if (mapping !== undefined) {
              yield* mapping.lock.write();
              mapping.link(area as never);
              mapping.lock.unlockWrite();
            }
            yield* finished(open?.call(ops, area));
          },
        };
      }),
    {
      bug: "B17",
      name: "a child's area is to be found before it is opened",
      source: "CVE-2024-27022",
      caughtBy: {
        "LC-03":
          /what open is told of a fork is \[an area of the child, findable, with 0 entries\], and must/,
      },
    },
  ),
];
