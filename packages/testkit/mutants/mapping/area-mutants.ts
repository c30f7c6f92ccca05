import { type Area, EINVAL, type KernelAddress, sigbus, type VmOps } from "@nopage/core";
import type { Mutant } from "../mutant.ts";
import { altered } from "../support/altered.ts";
import { plain } from "../support/placed.ts";
import { frames, handOverPage, pages, remapped } from "./right-strategies.ts";

const ofPages = { kind: "strategy", schedule: "sequential", right: plain(pages) } as const;

/** What a driver keeps of one mapping. */
interface Kept {
  users: number;
  give(): void;
}

/** A strategy that keeps memory for each mapping, which its hooks count the users of. */
function keeping(name: string, hooks: (kept: Kept) => Partial<VmOps>) {
  return plain(
    altered(pages, name, ({ memory: { kmalloc } }) => ({
      ops() {
        const own = kmalloc.kzalloc(64);
        const give = () => {
          if (own !== undefined) kmalloc.kfree(own);
        };
        return hooks({ users: 1, give });
      },
    })),
  );
}

const counted = (kept: Kept): Partial<VmOps> => ({
  open: () => {
    kept.users++;
  },
  close: () => {
    if (--kept.users === 0) kept.give();
  },
});

/** Mistakes in what is kept of each area. */
export const areaMutants: readonly Mutant[] = [
  {
    name: "what an area uses is freed by the first close",
    bug: "B07",
    source: "CVE-2026-31787 xen/privcmd",
    ...ofPages,
    right: keeping("counts its areas", counted),
    wrong: keeping("frees in close", (kept) => ({ close: () => kept.give() })),
    caughtBy: { "LC-02": /\): no memory of kmalloc/, "LC-08": /\): no memory of kmalloc/ },
    sanitizers: ["double-free"],
  },
  {
    name: "open without close",
    bug: "B11",
    source: "pseries/vas: Add close() callback in vas_vm_ops",
    ...ofPages,
    wrong: plain(
      altered(pages, "takes memory for each area and never gives it back", (kernel) => ({
        ops: () => ({ open: () => void kernel.memory.kmalloc.kzalloc(kernel.geometry.pageSize) }),
      })),
    ),
    right: plain(
      altered(pages, "takes memory for each area", (kernel) => {
        const taken: KernelAddress[] = [];
        return {
          ops: () => ({
            open() {
              const own = kernel.memory.kmalloc.kzalloc(kernel.geometry.pageSize);
              if (own !== undefined) taken.push(own);
            },
            close() {
              const own = taken.pop();
              if (own !== undefined) kernel.memory.kmalloc.kfree(own);
            },
          }),
        };
      }),
    ),
    caughtBy: { "LC-02": /leak: freeFrames/ },
    sanitizers: ["leak"],
  },
  {
    name: "one area owns what a moved one uses",
    bug: "B09",
    source: "CVE-2026-23056 uacce",
    ...ofPages,
    wrong: plain(
      altered(pages, "knows one area only", () => ({
        ops(right, { area: owner }) {
          return { nopage: (fault) => (fault.area === owner ? (right.nopage?.(fault) ?? sigbus) : sigbus) };
        },
      })),
    ),
    caughtBy: {
      "LC-12": /the moved page: object page 1 is SIGBUS BUS_ADRERR, and must be 0xface0001/,
      "LC-13": /the mapping that did not move: object page 0 is SIGBUS BUS_ADRERR, and must be 0xface0000/,
      "QU-06": /in the child: page 0 is SIGBUS BUS_ADRERR, and must be 0xface0000/,
    },
  },
  {
    name: "the mremap hook looks into a table that a child has not",
    bug: "B19",
    source: "aio: fix mremap after fork null-deref",
    ...ofPages,
    wrong: plain(
      altered(pages, "keeps a table of each process", () => {
        const tables = new Set<Area["mm"]>();
        return {
          ops(_right, { area }) {
            tables.add(area.mm);
            return { mremap: ({ mm }) => (tables.has(mm) ? 0 : -EINVAL) };
          },
        };
      }),
    ),
    caughtBy: { "LC-13": /mremap of 4 pages to another place is -EINVAL, and must be/ },
  },
  {
    name: "whole pages are shown of a buffer that does not fill them",
    bug: "B65",
    source: "ALSA buffer sizes, page-aligned; drivers/char/mem.c 5c1733e33c88",
    ...ofPages,
    wrong: plain(
      altered(pages, "checks nothing about a buffer", () => ({
        mmap: ({ kernel, backing }) => ({
          name: "pages",
          nopage: (fault) => handOverPage(kernel, backing, fault),
        }),
      })),
    ),
    caughtBy: { "LK-05": /the neighbour's data is seen at byte 0 of the mapping/ },
  },
  {
    name: "every split is refused",
    bug: "law",
    source: "vm_operations_struct may_split",
    ...ofPages,
    wrong: plain(altered(pages, "refuses splits", () => ({ ops: () => ({ maySplit: () => -EINVAL }) }))),
    caughtBy: { "LC-07": /munmap of 1 pages is -EINVAL, and must be 0/ },
  },
  {
    name: "every change of protection is refused",
    bug: "law",
    source: "vm_operations_struct mprotect",
    ...ofPages,
    wrong: plain(altered(pages, "refuses mprotect", () => ({ ops: () => ({ mprotect: () => -EINVAL }) }))),
    caughtBy: {
      "FR-05": /mprotect fails with EINVAL, and must succeed/,
      "LC-10": /mprotect fails with EINVAL, and must succeed/,
      "PE-01": /mprotect for reading fails with EINVAL, and must succeed/,
    },
  },
  {
    name: "a lock is kept by the hook that took it",
    bug: "law",
    source: "a return in the middle of a locked section",
    ...ofPages,
    wrong: plain(
      altered(pages, "keeps its lock", (kernel) => {
        const lock = kernel.sync.mutex("the strategy's lock");
        return {
          *mmap(_place, asked) {
            yield* lock.lock();
            const answer = asked();
            return typeof answer === "object" && "next" in answer ? yield* answer : answer;
          },
        };
      }),
    ),
    right: plain(
      altered(pages, "gives its lock back", (kernel) => {
        const lock = kernel.sync.mutex("the strategy's lock");
        return {
          *mmap(_place, asked) {
            yield* lock.lock();
            const answer = asked();
            const finished = typeof answer === "object" && "next" in answer ? yield* answer : answer;
            lock.unlock();
            return finished;
          },
        };
      }),
    ),
    caughtBy: { "AT-03": /law\/0 ended while it holds the strategy's lock/ },
    sanitizers: ["lock-held"],
  },
  {
    name: "a spinlock is held by a handler that sleeps",
    bug: "B39",
    source: "c7ab0d2fdc84; CONFIG_DEBUG_ATOMIC_SLEEP",
    ...ofPages,
    wrong: sleepingHandler("spin"),
    right: sleepingHandler("none"),
    caughtBy: { "AT-05": /law\/0 may sleep on a timer with mmap_lock, the strategy's lock held/ },
    sanitizers: ["sleep-in-atomic"],
  },
  {
    name: "two hooks take two locks in two orders",
    bug: "B62",
    source: "usb: mon: Fix a deadlock between mmap and read",
    ...ofPages,
    wrong: twoLocks("turned round"),
    right: twoLocks("the same"),
    caughtBy: {
      "AT-05": /law\/0 takes the first lock while it holds the second lock; elsewhere the second lock is/,
      "QU-11": /takes the first lock while it holds the second lock; elsewhere the second lock is/,
    },
    sanitizers: ["lock-order"],
  },
  {
    name: "a claim that mappings do not grow",
    bug: "law",
    source: "mm/mremap.c vma_to_resize",
    ...ofPages,
    wrong: plain({
      ...pages,
      name: "pages that claim not to grow",
      supports: { ...pages.supports, mremapGrow: false },
    }),
    caughtBy: { "LC-14": /and must fail with EFAULT/ },
  },
  {
    name: "a claim that mappings grow",
    bug: "law",
    source: "mm/mremap.c vma_to_resize",
    ...ofPages,
    right: plain(frames),
    wrong: plain({
      ...frames,
      name: "frames that claim to grow",
      supports: { ...frames.supports, mremapGrow: true },
    }),
    caughtBy: { "LC-15": /growing in place is -EFAULT, and must be/ },
  },
  {
    name: "a claim that bare frames are counted",
    bug: "B69",
    source: "io_uring: get rid of remap_pfn_range() for mapping rings/sqes",
    ...ofPages,
    right: plain(frames),
    wrong: plain({
      ...frames,
      name: "frames that claim to count",
      supports: { ...frames.supports, countsPages: ["pfn-run", "coherent"] },
    }),
    caughtBy: { "RC-03": /page 0, freed by its owner is 0xffffffff, and must be 0xface0000/ },
  },
  {
    name: "a claim that pages are not counted",
    bug: "law",
    source: "mm/memory.c vm_normal_page",
    ...ofPages,
    wrong: plain({
      ...pages,
      name: "pages that claim not to count",
      supports: { ...pages.supports, countsPages: [] },
    }),
    caughtBy: { "GP-13": /pinning a bare frame answers 0, and must fail with EFAULT/ },
  },
  {
    name: "a claim of private copies on the frame path",
    bug: "B24",
    source: "CVE-2024-39497 drm shmem",
    ...ofPages,
    right: plain(frames),
    wrong: plain({
      ...frames,
      name: "frames that claim private copies",
      supports: { ...frames.supports, privateWritable: ["pfn-run", "coherent"] },
    }),
    caughtBy: {
      "PF-01": /a private writable mapping fails with EINVAL, and must succeed/,
      "RC-01": /a private mmap fails with EINVAL, and must succeed/,
      "RE-12": /private mmap fails with EINVAL, and must succeed/,
      "RV-08": /mmap fails with EINVAL, and must succeed/,
    },
  },
  {
    name: "frames are put into private writable mappings",
    bug: "B24",
    source: "CVE-2024-39497 drm shmem",
    ...ofPages,
    right: plain(frames),
    wrong: plain(
      altered(frames, "does not look at VM_SHARED", () => ({
        *mmap({ area, kernel, backing }, asked) {
          const { flags } = area;
          area.flags |= 0x8;
          const answer = asked();
          const finished = typeof answer === "object" && "next" in answer ? yield* answer : answer;
          if ((flags & 0x8) === 0) area.flags &= ~0x8;
          return kernel.mappings.firstFrame(backing) === undefined ? -EINVAL : finished;
        },
      })),
    ),
    caughtBy: { "PF-01": /and must fail with EINVAL/ },
  },
  {
    name: "a claim that all is mapped at mmap",
    bug: "law",
    source: "mail of 1997: simple_mmap and simple_nopage",
    ...ofPages,
    wrong: plain({
      ...pages,
      name: "pages that claim to be eager",
      supports: { ...pages.supports, populate: "eager" },
    }),
    caughtBy: {
      "QU-09": /and must fail with EAGAIN or EBUSY/,
      "RE-01": /the number of minor faults of touching every page is 4, and must be 0/,
    },
  },
  {
    name: "a claim that nothing is mapped at mmap",
    bug: "law",
    source: "mail of 1997: simple_mmap and simple_nopage",
    ...ofPages,
    right: plain(remapped),
    wrong: plain({
      ...remapped,
      name: "a remap that claims to be lazy",
      supports: { ...remapped.supports, populate: "lazy" },
    }),
    caughtBy: { "FR-02": /how often the handler was asked is 0, and must be 4/ },
  },
  {
    name: "the first frame that was shown is taken for that of the object",
    bug: "B27",
    source: "x86/mm/pat: fix VM_PAT handling in COW mappings; CVE-2024-35877",
    ...ofPages,
    right: plain(remapped),
    wrong: plain(
      altered(remapped, "restores by pgoff", (kernel) => ({
        *restore(backing) {
          yield* kernel.mappings.forEachArea(backing.mapping, function* (area) {
            const first = kernel.mappings.firstFrame(backing);
            if (first === undefined || area.ops?.name !== "remapped") return;
            const pfn = (first + area.pgoff) as typeof first;
            const run = { address: area.start, pfn, pages: area.pages, leaves: "large" } as const;
            yield* kernel.mappings.remapMissing(area, run);
          });
        },
      })),
    ),
    caughtBy: { "RE-12": /the rest afterwards: object page 1 is 0xffffffff, and must be 0xface0001/ },
  },
];

function sleepingHandler(held: "spin" | "none") {
  return plain(
    altered(pages, held === "spin" ? "sleeps under a spinlock" : "sleeps", (kernel) => {
      const lock = kernel.sync.spinLock("the strategy's lock");
      return {
        ops: (right) => ({
          *nopage(fault) {
            if (held === "spin") yield* lock.lock();
            yield* kernel.time.sleep(10);
            if (held === "spin") lock.unlock();
            const answer = right.nopage?.(fault) ?? sigbus;
            return "next" in answer ? yield* answer : answer;
          },
        }),
      };
    }),
  );
}

function twoLocks(order: "turned round" | "the same") {
  return plain(
    altered(pages, `takes its locks in ${order === "the same" ? "one order" : "two orders"}`, (kernel) => {
      const one = kernel.sync.mutex("the first lock");
      const two = kernel.sync.mutex("the second lock");
      const [outer, inner] = order === "the same" ? [one, two] : [two, one];
      return {
        *mmap(_place, asked) {
          yield* one.lock();
          yield* two.lock();
          two.unlock();
          one.unlock();
          const answer = asked();
          return typeof answer === "object" && "next" in answer ? yield* answer : answer;
        },
        ops: (right) => ({
          *nopage(fault) {
            yield* outer.lock();
            yield* inner.lock();
            inner.unlock();
            outer.unlock();
            const answer = right.nopage?.(fault) ?? sigbus;
            return "next" in answer ? yield* answer : answer;
          },
        }),
      };
    }),
  );
}
