import type { Mutant } from "../mutant.ts";
import { plain } from "../support/placed.ts";
import { naiveMirror, type Omission } from "./naive-mirrors.ts";

function without(form: "list" | "interval", omission: Omission) {
  return {
    kind: "mirror",
    schedule: "sequential",
    wrong: plain(naiveMirror(form, omission)),
    right: plain(naiveMirror(form, "nothing")),
  } as const;
}

/** Mistakes in following a process, by a list of followers and a count or by intervals and a number. */
export const mirrorMutants: readonly Mutant[] = [
  {
    name: "an entry is made while an invalidation is under way",
    bug: "B36",
    source: "KVM APIC page, e649b3f0188f",
    ...without("list", "the count"),
    caughtBy: {
      "MN-03": /the driver populates during the invalidation/,
      "MN-09": /a driver that populates during the invalidation is ended, and must be blocked/,
    },
  },
  {
    name: "a count is asked and the entry is not read again",
    bug: "B37",
    source: "mail 2: a count without a sequence; virt/kvm/kvm_main.c mmu_invalidate_retry",
    ...without("list", "the second look at the entry"),
    schedule: "racy",
    caughtBy: { "MN-08": /what the device reads at the page is|which nobody holds/ },
  },
  {
    name: "the table is cleared and the device's TLB is not",
    bug: "B34",
    source: "CVE-2022-0330 i915, fix 7938d61591d3",
    ...without("list", "the flush of the device's TLB"),
    caughtBy: { "MN-04": /which nobody holds/ },
    sanitizers: ["use-after-free"],
  },
  {
    name: "the device may write what the process may only read",
    bug: "B29",
    source: "acrn: fix PFNMAP PTE checks",
    ...without("list", "the rights of the entry"),
    caughtBy: {
      "MN-01": /whether the device may store to page 1 after mprotect to read-only is true, and must be/,
    },
  },
  {
    name: "entries go at the end of an invalidation only",
    bug: "B38",
    source: "invalidate_page before 2017",
    ...without("list", "the zap at the beginning"),
    caughtBy: { "MN-03": /the device has a translation during the invalidation/ },
  },
  {
    name: "the follower is freed when the process goes",
    bug: "mail 2",
    source: "release of mail 2 frees the structure while the list links it",
    ...without("list", "life after release"),
    caughtBy: { "MN-12": /kernel store at/ },
    sanitizers: ["use-after-free"],
  },
  {
    name: "the end of an invalidation is not counted",
    bug: "B41",
    source: "c2655835fd8c",
    ...without("list", "the end in the count"),
    caughtBy: {
      "MN-02": /deadlock: law\/0 sleeps on invalidations to end/,
      "MN-06": /deadlock: law\/0 sleeps on invalidations to end/,
    },
    sanitizers: ["deadlock"],
  },
  {
    name: "a device keeps its translations when the process goes",
    bug: "B55",
    source: "Mali CVE-2022-33917, CVE-2022-36449",
    ...without("list", "the zap at release"),
    caughtBy: { "MN-12": /translations that it has when it is told to stop is 4, and must be 0/ },
  },
  {
    name: "a device is not told to stop when the process goes",
    bug: "mail 4",
    source: "the ghost thread of mail 4; mmu_notifier release",
    ...without("list", "the stop of the device"),
    caughtBy: { "MN-12": /how often the device is told to stop is 0, and must be 1/ },
  },
  {
    name: "a callback sleeps that may not",
    bug: "B39",
    source: "c7ab0d2fdc84; include/linux/mmu_notifier.h blockable",
    ...without("list", "a refusal where it may not sleep"),
    caughtBy: { "MN-05": /naive sleeps in a range invalidation that may not block/ },
    sanitizers: ["sleep-in-atomic"],
  },
  {
    name: "a mutex is taken under the page-table lock",
    bug: "B39",
    source: "c7ab0d2fdc84 moved the callback there; Documentation/filesystems/locking.rst",
    ...without("list", "a spinlock under the page-table lock"),
    caughtBy: { "AT-02": /sleep-in-atomic by law\/0: law\/0 may sleep on naive mutex/ },
    sanitizers: ["sleep-in-atomic"],
  },
  {
    name: "a driver asks again and again instead of waiting for an end",
    bug: "law",
    source: "mm/mmu_notifier.c mmu_interval_read_begin",
    ...without("list", "the wait for an end"),
    caughtBy: {
      "MN-09": /a driver that populates during the invalidation is ended, and must be blocked/,
    },
  },
  {
    name: "who waits for the end of an invalidation is not woken",
    bug: "law",
    source: "mm/mmu_notifier.c mn_itree_inv_end (wake_up_all)",
    ...without("list", "the wake of who waits"),
    caughtBy: { "MN-09": /sleeps on invalidations to end/ },
    sanitizers: ["lost-wake-up"],
  },
  {
    name: "a process is followed that is gone",
    bug: "law",
    source: "mm/mmu_notifier.c __mmu_notifier_register",
    ...without("list", "the answer to registering"),
    caughtBy: { "MN-13": /following it anew answers 0, and must fail with EFAULT/ },
  },
  {
    name: "the sequence is not asked",
    bug: "B37",
    source: "the series of 2017; mm/mmu_notifier.c mmu_interval_read_retry",
    ...without("interval", "the sequence check"),
    schedule: "racy",
    caughtBy: { "MN-07": /which nobody holds/ },
    sanitizers: ["use-after-free"],
  },
  {
    name: "the sequence is asked before the lock is taken",
    bug: "B37",
    source: "Documentation/mm/hmm.rst, the driver's lock",
    ...without("interval", "the lock around the sequence check"),
    schedule: "racy",
    caughtBy: { "MN-07": /which nobody holds/, "MN-10": /which nobody holds/ },
    sanitizers: ["use-after-free"],
  },
  {
    name: "an interval's table is cleared and the device's TLB is not",
    bug: "B34",
    source: "CVE-2022-0330 i915, fix 7938d61591d3",
    ...without("interval", "the flush of the device's TLB"),
    caughtBy: { "AT-02": /what the device reads is 7, and must be 8/, "MN-04": /which nobody holds/ },
    sanitizers: ["use-after-free"],
  },
  {
    name: "the sequence is not recorded",
    bug: "mail 2",
    source: "mmu_interval_set_seq",
    ...without("interval", "recording the sequence"),
    caughtBy: {
      "MN-06": /naive: invalidate did not record sequence \d+, so populate cannot see the collision/,
    },
    sanitizers: ["contract"],
  },
];
