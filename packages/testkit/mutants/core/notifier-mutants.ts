import type { UserAddress } from "@nopage/core";
import { pages } from "../mapping/right-strategies.ts";
import { naiveMirror } from "../mirror/naive-mirrors.ts";
import type { Mutant } from "../mutant.ts";
import { wrongCore } from "./core-mutant.ts";
import { eachMm, eachThread } from "./tamper.ts";

const list = naiveMirror("list", "nothing");
const interval = naiveMirror("interval", "nothing");
const law = { bug: "law" } as const;

/** Mistakes of the core in telling followers. */
export const notifierMutants: readonly Mutant[] = [
  wrongCore(
    list,
    (machine) =>
      eachMm(machine, ({ notifiers }) => {
        notifiers.begin = function* () {
          return { range: undefined, told: [] };
        };
        notifiers.end = function* () {};
      }),
    {
      bug: "B42",
      name: "entries go and nobody is told",
      source: "CVE-2022-48991 khugepaged",
      caughtBy: {
        "MN-01": /what the device reads at page 1 after munmap is 161, and must be a device fault/,
      },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachMm(machine, ({ notifiers }) => {
        const begin = notifiers.begin.bind(notifiers);
        const end = notifiers.end.bind(notifiers);
        const late = new Map<unknown, Parameters<typeof begin>>();
        notifiers.begin = function* (...range) {
          const untold = { range: undefined, told: [] };
          late.set(untold, range);
          return untold;
        };
        // The reaper, which may not wait, tells in time, and so has an end of its own.
        notifiers.end = function* (invalidation) {
          const range = late.get(invalidation);
          late.delete(invalidation);
          yield* end(range === undefined ? invalidation : yield* begin(...range));
        };
      }),
    {
      bug: "B38",
      name: "followers are told after the entries are gone",
      source: "invalidate_page before 2017",
      caughtBy: {
        "MN-01": /what goes or narrows unheard of is \[pte-/,
        "MN-04": /what is gone before the begin is \[page of 0x[0-9a-f]+ \(clear\)/,
      },
    },
  ),
  wrongCore(
    list,
    (machine) =>
      eachMm(machine, ({ notifiers }) => {
        notifiers.end = function* () {};
      }),
    {
      bug: "B41",
      name: "followers are not told the end",
      source: "c2655835fd8c",
      caughtBy: { "MN-02": /deadlock: law\/0 sleeps on invalidations of law to end/ },
      sanitizers: ["deadlock"],
    },
  ),
  wrongCore(
    list,
    (machine) =>
      eachMm(machine, ({ notifiers }) => {
        notifiers.tryBegin = (start, end, event) => notifiers.begin(start, end, event);
      }),
    {
      bug: "B39",
      name: "the reaper waits for followers",
      source: "mm/oom_kill.c __oom_reap_task_mm (nonblock)",
      caughtBy: {
        "MN-02": /reaping a process with a follower that refuses answers 0, and must fail with EAGAIN/,
      },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachMm(machine, ({ notifiers }) => {
        const begin = notifiers.begin.bind(notifiers);
        notifiers.begin = (start, end) => begin(start, end, "clear");
      }),
    {
      ...law,
      name: "every invalidation is of one kind",
      source: "include/linux/mmu_notifier.h enum mmu_notifier_event",
      caughtBy: {
        "MN-15": /the kinds of events that mprotect announces is \[clear\], and must be \[protection-vma\]/,
      },
    },
  ),
  wrongCore(
    list,
    (machine) =>
      eachMm(machine, ({ notifiers }) => {
        notifiers.release = function* () {};
      }),
    {
      bug: "mail 4",
      name: "followers are not told that the process goes",
      source: "mm/mmap.c exit_mmap (mmu_notifier_release)",
      caughtBy: { "MN-12": /how often the device is told to stop is 0, and must be 1/ },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachThread(machine, (thread) => {
        const fork = thread.fork.bind(thread);
        thread.fork = function* (program, name) {
          const child = yield* fork(program, name);
          if (typeof child === "number") return child;
          for (const notifier of thread.mm.notifiers.list) yield* child.mm.notifiers.add(notifier);
          return child;
        };
      }),
    {
      ...law,
      name: "a child inherits followers",
      source: "kernel/fork.c mmu_notifier_subscriptions_init",
      caughtBy: { "MN-14": /\], and must be \[\]/ },
    },
  ),
  wrongCore(
    pages,
    (_machine, { mappings }) => {
      mappings.registerNotifier = function* (mm, notifier) {
        yield* mm.notifiers.add(notifier);
        return 0;
      };
    },
    {
      bug: "mail 2",
      name: "registering takes no lock",
      source: "mm/mmu_notifier.c mmu_notifier_register",
      caughtBy: {
        "MN-16": /whether somebody still holds the mmap lock when registering returns is true, and must be/,
      },
    },
  ),
  wrongCore(
    list,
    (_machine, { mappings, time }) => {
      const unregister = mappings.unregisterNotifier;
      mappings.unregisterNotifier = function* (mm, notifier) {
        time.spawnKernelThread("unregister", () => unregister(mm, notifier), "required");
      };
    },
    {
      bug: "mail 2",
      name: "unregistering waits for nobody",
      source: "mm/mmu_notifier.c mmu_notifier_unregister (synchronize_srcu)",
      caughtBy: { "MN-11": /use-after-free by/ },
      sanitizers: ["use-after-free"],
    },
  ),
  wrongCore(
    interval,
    (_machine, { mappings }) => {
      const insert = mappings.insertInterval;
      mappings.insertInterval = function* (...request) {
        const subscription = yield* insert(...request);
        if (typeof subscription === "number") return subscription;
        subscription.readBegin = function* () {
          return (yield* subscription.tryReadBegin()) ?? 0;
        };
        subscription.readRetry = function* () {
          return false;
        };
        return subscription;
      };
    },
    {
      bug: "B37",
      name: "a reader is never told to start over",
      source: "mm/mmu_notifier.c mmu_interval_read_retry",
      caughtBy: {
        "MN-03": /the driver populates during the invalidation/,
        "MN-09": /a driver that populates during the invalidation is ended, and must be blocked/,
      },
    },
  ),
  wrongCore(
    pages,
    (machine) =>
      eachMm(machine, (mm) => {
        mm.notifiers.wasAccessed = function* (address) {
          const asked = mm.notifiers.list[0]?.wasAccessed?.(mm, address as UserAddress);
          return asked === undefined ? false : yield* asked;
        };
      }),
    {
      ...law,
      name: "only the first follower is asked whether its device used a page",
      source: "mm/mmu_notifier.c __mmu_notifier_clear_flush_young",
      caughtBy: {
        "MN-18": /who was asked is \[busy of page 0\], and must be \[busy of page 0, idle of page 0\]/,
      },
    },
  ),
];
