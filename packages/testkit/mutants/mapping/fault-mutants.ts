import {
  type Fault,
  type FaultOutcome,
  installed,
  type MaySleep,
  mapPage,
  type Page,
  type Pfn,
  PG_hwpoison,
  retryWhenOpen,
  sigbus,
  sigsegv,
  VM_MIXEDMAP,
} from "@nopage/core";
import { finished } from "#src/model/finished";
import type { Mutant } from "../mutant.ts";
import { altered, type Place } from "../support/altered.ts";
import { plain } from "../support/placed.ts";
import { bufferPage, pages } from "./right-strategies.ts";

const ofPages = { kind: "strategy", schedule: "sequential", right: plain(pages) } as const;

type Handler = (fault: Fault, place: Place) => MaySleep<FaultOutcome> | undefined;

/** The pages strategy with another handler; `undefined` from it asks the right one. */
function handler(name: string, answer: Handler) {
  return plain(
    altered(pages, name, () => ({
      ops: (right, place) => ({ nopage: (fault) => answer(fault, place) ?? right.nopage?.(fault) ?? sigbus }),
    })),
  );
}

function pageOf({ kernel, backing }: Place, index: number) {
  return bufferPage(kernel, backing, index);
}

/** Mistakes in what a handler answers. */
export const faultMutants: readonly Mutant[] = [
  {
    name: "the page is counted from the area's start",
    bug: "B06",
    source: "a stock driver",
    ...ofPages,
    wrong: handler("counts from the start", ({ gate, address, area }, place) => {
      const page = pageOf(place, (address - area.start) / place.kernel.geometry.pageSize);
      return gate !== "open" || page === undefined ? undefined : place.kernel.pages.handOver(page);
    }),
    caughtBy: {
      "FR-16": /object page 1, mapped from page 1 on, is 0xface0000, and must be 0xface0001/,
      "LC-10": /what is left without 1 pages: object page 1 is 0xface0000, and must be 0xface0001/,
    },
  },
  {
    name: "only the offset's low bits count",
    bug: "law",
    source: "vmf->pgoff is the object's whole offset in pages: include/linux/mm.h struct vm_fault",
    ...ofPages,
    wrong: handler("counts low bits only", ({ gate, pgoff }, place) => {
      const page = pgoff < place.backing.pages ? pageOf(place, pgoff & 7) : undefined;
      return gate !== "open" || page === undefined ? undefined : place.kernel.pages.handOver(page);
    }),
    caughtBy: { "LC-10": /a long object: object page 8 is 0xface0000, and must be 0xface0008/ },
  },
  {
    name: "no bound in the handler",
    bug: "B04",
    source: "CVE-2008-0007; ALSA: usx2y: bound the hwdep mmap fault offset",
    ...ofPages,
    wrong: handler("has no bound", ({ gate, pgoff }, place) => {
      const page = pageOf(place, pgoff);
      return gate !== "open" || page === undefined ? undefined : place.kernel.pages.handOver(page);
    }),
    caughtBy: {
      "FR-09": /process_vm_readv answers 4, and must fail with EFAULT/,
      "LC-15": /a load from page 4, past the object's end is 0xface0004, and must be SIGBUS BUS_ADRERR/,
      "LK-06": /a load from the first page past the end is 0xface0004, and must be SIGBUS BUS_ADRERR/,
    },
  },
  {
    name: "a page is answered without a reference",
    bug: "mail 1",
    source: "the nopage contract of 2.2 and later: the handler counts the page",
    ...ofPages,
    wrong: handler("takes no reference", ({ gate, pgoff }, place) => {
      const page = pgoff < place.backing.pages ? pageOf(place, pgoff) : undefined;
      return gate !== "open" || page === undefined ? undefined : mapPage(page);
    }),
    caughtBy: {
      "QU-07": /afterwards: page 0 is SIGBUS BUS_ADRERR, and must be 0xface0000/,
      "RC-02": /what a mapping that came back adds to VmRSS, in pages is 0, and must be 4/,
    },
  },
  {
    name: "a page is counted without a look at its count",
    bug: "B51",
    source: "CVE-2019-11487, fix 15fab63e1e57",
    ...ofPages,
    wrong: handler("counts by get_page", ({ gate, pgoff }, place) => {
      const page = pgoff < place.backing.pages ? pageOf(place, pgoff) : undefined;
      if (gate !== "open" || page === undefined) return undefined;
      return (function* () {
        yield* place.kernel.pages.get(page);
        return mapPage(page);
      })();
    }),
    caughtBy: { "RC-05": /a load from a page with all references taken is 0xface0000/ },
    sanitizers: ["refcount-overflow"],
  },
  {
    name: "a page is counted twice",
    bug: "B46",
    source: "the counterpart of a double release",
    ...ofPages,
    wrong: handler("counts twice", ({ gate, pgoff }, place) => {
      const page = pgoff < place.backing.pages ? pageOf(place, pgoff) : undefined;
      if (gate !== "open" || page === undefined) return undefined;
      return (function* () {
        yield* place.kernel.pages.get(page);
        return yield* finished(place.kernel.pages.handOver(page));
      })();
    }),
    caughtBy: {
      "FR-14": /references, of which one is to the copy, is 2, and must be 1/,
      "LK-01": /the references left after munmap of page 0 is 7, and must be 3/,
    },
  },
  {
    name: "an errno is answered where nothing is",
    bug: "mail 1",
    source: "the mails' nopage returns 0 or nothing; mm/memory.c __do_fault",
    ...ofPages,
    wrong: handler("answers an errno", ({ gate, pgoff }, place) => {
      const isThere = pgoff < place.backing.pages && pageOf(place, pgoff) !== undefined;
      return gate !== "open" || isThere ? undefined : (-14 as unknown as FaultOutcome);
    }),
    caughtBy: { "FR-02": /pages: nopage answered -14 instead of a fault outcome such as/ },
    sanitizers: ["contract"],
  },
  {
    name: "an I/O handler that remaps and answers nothing",
    bug: "mail 1",
    source: "simple_nopage for I/O memory in the mail of 1997",
    ...ofPages,
    wrong: handler("answers nothing", ({ gate }) =>
      gate === "open" ? ({} as unknown as FaultOutcome) : retryWhenOpen,
    ),
    caughtBy: {
      "FR-11": /contract by law\/0: pages: nopage answered \[object Object\] instead of a fault outcome/,
    },
    sanitizers: ["contract"],
  },
  {
    name: "a broken frame is said to be done",
    bug: "B70",
    source: "mm/memory-failure: fix infinite UCE for VM_PFNMAP pfn",
    ...ofPages,
    wrong: handler("says done for a broken frame", ({ pgoff }, place) => {
      const page = pageOf(place, pgoff);
      const isBroken = page !== undefined && place.kernel.memory.frames.hasFlags(page, PG_hwpoison);
      return isBroken ? installed : undefined;
    }),
    caughtBy: { "FR-04": /a thread that loads while nothing holds it off is running, and must be ended/ },
  },
  {
    name: "what is not there is said to be done",
    bug: "B70",
    source: "mm/memory-failure: fix infinite UCE for VM_PFNMAP pfn",
    ...ofPages,
    wrong: handler("says done for a hole", ({ gate, pgoff }, place) => {
      const isThere = pgoff < place.backing.pages && pageOf(place, pgoff) !== undefined;
      return gate !== "open" || isThere ? undefined : installed;
    }),
    caughtBy: { "FR-06": /a thread that loads while nothing holds it off is running, and must be ended/ },
  },
  {
    name: "what is not there is SIGSEGV",
    bug: "law",
    source: "mm/memory.c: VM_FAULT_SIGBUS and VM_FAULT_SIGSEGV",
    ...ofPages,
    wrong: handler("answers sigsegv", ({ gate, pgoff }, place) => {
      const isThere = pgoff < place.backing.pages && pageOf(place, pgoff) !== undefined;
      return gate !== "open" || isThere ? undefined : sigsegv;
    }),
    caughtBy: { "TR-03": /a load past the end is SIGSEGV SEGV_MAPERR, and must be SIGBUS BUS_ADRERR/ },
  },
  {
    name: "a hole shows the first page",
    bug: "mail 1",
    source: "the vmalloc walk of the mail of 1997 has no hole check",
    ...ofPages,
    wrong: handler("fills holes", ({ gate, pgoff }, place) => {
      const first = pageOf(place, 0);
      const isHole = pgoff < place.backing.pages && pageOf(place, pgoff) === undefined;
      return gate !== "open" || !isHole || first === undefined
        ? undefined
        : place.kernel.pages.handOver(first);
    }),
    caughtBy: {
      "FR-06": /a load from page 2 is 0xface0000, and must be SIGBUS BUS_ADRERR/,
      "LK-06": /a load from hole 2 is 0xface0000, and must be SIGBUS BUS_ADRERR/,
    },
  },
  {
    name: "a handler that does not ask whether the device is gone",
    bug: "B56",
    source: "uio 57c5f4df0a5a, a93e7b331568; CVE-2026-93054",
    ...ofPages,
    wrong: handler("ignores that the device is gone", ({ gate, pgoff }, place) => {
      const page = pgoff < place.backing.pages ? pageOf(place, pgoff) : undefined;
      return gate !== "gone" || page === undefined ? undefined : insertIgnoringGate(place, page, pgoff);
    }),
    caughtBy: {
      "MO-04": /a load from page 0 is 0xface0000, and must be SIGBUS BUS_ADRERR/,
      "QU-08": /the load that waited meanwhile is 0xdeaddead, and must be SIGBUS BUS_ADRERR/,
    },
  },
  {
    name: "a handler waits for a device that is gone",
    bug: "B56",
    source: "uio 57c5f4df0a5a, a93e7b331568; CVE-2026-93054",
    ...ofPages,
    wrong: handler("waits for ever", ({ gate }, place) =>
      gate === "gone" ? neverAnswered(place) : undefined,
    ),
    caughtBy: { "MO-04": /deadlock: law\/0 sleeps on a device that is gone/ },
    sanitizers: ["deadlock"],
  },
  {
    name: "a claim to wait, and SIGBUS",
    bug: "law",
    source: "mail of 1998: the process should be put to sleep",
    ...ofPages,
    wrong: handler("refuses meanwhile", ({ gate }) => (gate === "closed" ? sigbus : undefined)),
    caughtBy: {
      "PF-10": /page 0 is SIGBUS BUS_ADRERR, and must be 0xface0000/,
      "QU-03": /a load through it while the object is taken away is SIGBUS BUS_ADRERR, and must be not over/,
    },
  },
  {
    name: "a claim of SIGBUS, and a wait",
    bug: "law",
    source: "mail of 1998: the process should be put to sleep",
    ...ofPages,
    wrong: plain(altered(pages, "claims SIGBUS and waits", () => ({}), { whileRevoked: "sigbus" })),
    caughtBy: {
      "QU-01": /a load through it while the object is taken away is undefined, and must be SIGBUS/,
      "QU-03": /a load while the object is taken away is not over, and must be SIGBUS BUS_ADRERR/,
      "RV-06": /a load through its usual name while the object is taken away is undefined, and must be/,
    },
  },
  {
    name: "the handler sleeps until the gate is open instead of answering retry",
    bug: "B62",
    source: "a fault that sleeps with the mmap lock held; FAULT_FLAG_ALLOW_RETRY",
    ...ofPages,
    wrong: handler("sleeps with the mmap lock held", ({ gate, pgoff }, place) => {
      if (gate !== "closed") return undefined;
      return (function* () {
        yield* place.backing.gate.waitUntilOpen("uninterruptible");
        const page = pageOf(place, pgoff);
        return page === undefined ? sigbus : yield* finished(place.kernel.pages.handOver(page));
      })();
    }),
    caughtBy: {
      "FR-08": /signals taken while the gate is closed is 0, and must be 1/,
      "QU-04": /that the sibling got on while a thread waits is false, and must be true/,
      "QU-05": /the victim after SIGKILL is blocked, and must be ended/,
    },
  },
  {
    name: "the handler asks again and again instead of waiting for the gate",
    bug: "law",
    source: "a busy wait in a fault handler",
    ...ofPages,
    wrong: handler("spins at the gate", ({ gate }) => (gate === "closed" ? installed : undefined)),
    caughtBy: { "FR-07": /it goes on for ever: law\/0 sleeps on a timer of law\/0; waiter can run/ },
    sanitizers: ["hung-task"],
  },
  {
    name: "pages are remembered past a revocation",
    bug: "B67",
    source: "CVE-2014-4171 shmem, fix f00cdc6df7d7",
    ...ofPages,
    wrong: plain(
      altered(pages, "remembers what it showed", () => {
        const known = new Map<number, Page>();
        return {
          ops: (right, place) => ({
            nopage(fault) {
              if (fault.gate !== "open") return right.nopage?.(fault) ?? sigbus;
              const page = known.get(fault.pgoff) ?? pageOf(place, fault.pgoff);
              if (page === undefined) return sigbus;
              known.set(fault.pgoff, page);
              return place.kernel.pages.handOver(page);
            },
          }),
        };
      }),
    ),
    caughtBy: { "TR-03": /a load past the end is 0xface0003, and must be SIGBUS BUS_ADRERR/ },
  },
  {
    name: "faults are counted without a lock",
    bug: "law",
    source: "a counter of a driver, which faults of two threads raise at once; KCSAN",
    ...ofPages,
    schedule: "racy",
    wrong: counting("without a lock"),
    right: counting("under a lock"),
    caughtBy: { "FR-12": /data-race by/ },
    sanitizers: ["data-race"],
  },
  {
    name: "neighbours by address are taken for neighbours in memory",
    bug: "B63",
    source: "videobuf-dma-contig b3dc3f8",
    ...ofPages,
    wrong: handler("adds frames up", ({ gate, pgoff }, place) => {
      const first = pageOf(place, 0);
      if (gate !== "open" || first === undefined || pgoff >= place.backing.pages) return undefined;
      const page = place.kernel.pages.of((first + pgoff) as Pfn);
      return page === undefined ? undefined : place.kernel.pages.handOver(page);
    }),
    caughtBy: {
      "LK-02": /page 1 is 0xface0004, and must be 0xface0001/,
      "LK-05": /byte 4 of page 2 is SIGBUS BUS_ADRERR, and must be 0/,
      "LK-07": /page 1 is 0xface0004, and must be 0xface0001/,
    },
  },
  {
    name: "flags are changed in the fault",
    bug: "law",
    source:
      "drivers that set VM_MIXEDMAP in a fault; Documentation/mm: vm_flags need the mmap lock for writing",
    ...ofPages,
    wrong: handler("sets flags too late", ({ area, gate, pgoff, address }, place) => {
      const page = pgoff < place.backing.pages ? pageOf(place, pgoff) : undefined;
      if (gate !== "open" || page === undefined) return undefined;
      area.flags |= VM_MIXEDMAP;
      return (function* () {
        const result = yield* place.kernel.mappings.insertPage(area, address, page);
        return result === 0 || result === -16 ? installed : sigbus;
      })();
    }),
    caughtBy: {
      "PF-05": /VmFlags after every page was touched is rd wr sh mr mw me ms mm, and must be rd wr sh mr/,
    },
  },
];

function* insertIgnoringGate({ kernel, area }: Place, page: Page, pgoff: number) {
  area.flags |= VM_MIXEDMAP;
  const address = (area.start + (pgoff - area.pgoff) * kernel.geometry.pageSize) as typeof area.start;
  yield* kernel.mappings.insertPage(area, address, page);
  return installed;
}

function* neverAnswered({ kernel }: Place) {
  yield* kernel.sync.waitQueue("a device that is gone").waitUntil(() => false, "uninterruptible");
  return sigbus;
}

/** A strategy that counts its faults. */
function counting(how: "under a lock" | "without a lock") {
  return plain(
    altered(pages, `counts faults ${how}`, ({ sync }) => {
      const lock = sync.spinLock("the strategy's lock");
      const faults = sync.plain("the count of faults", 0);
      return {
        ops: (right) => ({
          *nopage(fault) {
            if (how === "under a lock") yield* lock.lock();
            faults.set(faults.get() + 1);
            if (how === "under a lock") lock.unlock();
            return yield* finished(right.nopage?.(fault) ?? sigbus);
          },
        }),
      };
    }),
  );
}
