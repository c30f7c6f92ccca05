import { pages, remapped } from "../mapping/right-strategies.ts";
import type { Mutant } from "../mutant.ts";
import { wrongCore, wrongMachine } from "./core-mutant.ts";
import { eachMm, eachThread } from "./tamper.ts";

const law = { bug: "law" } as const;

/** Mistakes in the TLBs and the locks of removals. */
export const removalMutants: readonly Mutant[] = [
  wrongCore(
    pages,
    ({ tlbs }) => {
      for (const tlb of tlbs) {
        tlb.flushRange = () => {};
        tlb.flushAll = () => {};
      }
    },
    {
      bug: "B34",
      name: "a TLB is not flushed",
      source: "CVE-2022-0330 i915, fix 7938d61591d3; hugetlb CVE-2021-4002",
      caughtBy: {
        "RV-01": /a store after mprotect is undefined, and must be SIGSEGV SEGV_ACCERR/,
        "RV-04": /stale-tlb by law\/0: law\/0 loads from 0x[0-9a-f]+ through a stale translation/,
        "RV-06":
          /a load through its usual name while the object is taken away is 0x[0-9a-f]+, and must be not/,
      },
      sanitizers: ["stale-tlb"],
    },
  ),
  wrongCore(
    pages,
    (machine) => {
      machine.tlbs.forEach((tlb, cpu) => {
        const flush = tlb.flushRange.bind(tlb);
        tlb.flushRange = (start, end) => {
          if (machine.sched.running.cpu === cpu) flush(start, end);
        };
      });
    },
    {
      bug: "B34",
      name: "only the TLB of the CPU that removes is flushed",
      source: "arch/x86/mm/tlb.c flush_tlb_mm_range, which interrupts the other CPUs",
      caughtBy: { "RV-01": /its store after mprotect is undefined, and must be SIGSEGV SEGV_ACCERR/ },
    },
  ),
  wrongCore(
    remapped,
    (machine) =>
      eachMm(machine, (mm) => {
        Object.defineProperty(mm, "flushesPending", { get: () => 0, set: () => {} });
      }),
    {
      bug: "B32",
      name: "a removal that finds nothing does not flush for another that is under way",
      source: "CVE-2022-39188, fix b67fbebd4cf9",
      schedule: "racy",
      caughtBy: {
        "RV-02": /a load from page 0 ends in 0xdeaddead, and must end in 0xface0000 or SIGBUS BUS_ADRERR or/,
      },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        const mremap = thread.mremap.bind(thread);
        thread.mremap = function* (request) {
          const late: (() => void)[] = [];
          const right = machine.tlbs.map((tlb) => tlb.flushRange);
          for (const tlb of machine.tlbs) {
            const flush = tlb.flushRange.bind(tlb);
            tlb.flushRange = (start, end) => {
              late.push(() => flush(start, end));
            };
          }
          const answer = yield* mremap(request);
          yield* thread.pause(1);
          machine.tlbs.forEach((tlb, cpu) => {
            tlb.flushRange = right[cpu] ?? tlb.flushRange;
          });
          for (const flush of late) flush();
          return answer;
        };
      }),
    {
      bug: "B31",
      name: "a move flushes after it has given the lock back",
      source: "CVE-2018-18281, fix eb66ae030829",
      schedule: "racy",
      caughtBy: { "RV-03": /reaches the page after it was cut off/ },
      sanitizers: ["stale-tlb"],
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachMm(machine, (mm) => {
        const { lock } = mm;
        const unlockRead = lock.unlockRead.bind(lock);
        lock.downgrade = () => {};
        lock.unlockRead = () => {
          if (lock.isWrittenByCurrent) lock.unlockWrite();
          else unlockRead();
        };
      }),
    {
      ...law,
      name: "munmap keeps everybody out to its end",
      source: "mm/mmap.c do_mas_align_munmap (downgrade)",
      schedule: "racy",
      caughtBy: {
        "LC-20": /deadlock: law\/0 waits for mmap_lock, held by unmapper; unmapper sleeps on a fault/,
      },
      sanitizers: ["deadlock"],
    },
  ),
  wrongMachine(
    pages,
    { cacheFlushes: "left-out" },
    {
      ...law,
      name: "the data cache is not flushed",
      source: "mail of 2004; Documentation/core-api/cachetlb.rst",
      caughtBy: { "PE-09": /page 0, as its owner sees it is 0x[0-9a-f]+, and must be 7/ },
    },
  ),
  wrongCore(
    pages,
    ({ violations }) => {
      violations.report = () => {};
    },
    {
      ...law,
      name: "nothing is reported",
      source: "a kernel without its debugging options",
      caughtBy: {
        "AT-02": /nobody has reported the sleep-in-atomic that the program provokes/,
        "AT-04": /nobody has reported the area-rule that the program provokes/,
        "AT-05": /nobody has reported the lock-order that the program provokes/,
        "MN-05": /nobody has reported the contract that the program provokes/,
        "MN-17": /nobody has reported the deadlock that the program provokes/,
        "RE-04": /nobody has reported the remap-over-present that the program provokes/,
      },
    },
  ),
];
