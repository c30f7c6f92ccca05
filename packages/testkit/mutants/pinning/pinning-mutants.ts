import {
  definePinningPolicy,
  EFAULT,
  type Kernel,
  type PageRequest,
  type Pinned,
  type PinningHooks,
  type PinningPolicy,
  type PinningSupports,
} from "@nopage/core";
import type { Mutant } from "../mutant.ts";
import { plain } from "../support/placed.ts";

/** What a policy does otherwise than pin, charge, and give back. */
interface PinSlip {
  readonly hold?: PageRequest["hold"];
  readonly asksFor?: "what the device does" | "read access";
  readonly charges?: "each page" | "nothing" | "twice";
  readonly uncharges?: "each page" | "nothing";
  /** What becomes of the first pages when a later one cannot be had. */
  readonly afterHalf?: "gives them back" | "forgets them" | "gives them back twice" | "keeps them in a token";
  readonly keeps?: "until unpin" | "not at all" | "for ever" | "once too little";
  readonly marks?: "dirty" | "clean";
  readonly claims?: Partial<PinningSupports>;
}

function pins(name: string, slip: PinSlip = {}): PinningPolicy {
  return definePinningPolicy({
    name,
    supports: {
      holdsBy: "pin",
      survives: ["munmap", "fork", "exit"],
      survivesOnLegacy: ["munmap", "fork", "exit"],
      coherentAfterFork: true,
      onDeath: "kept-until-unpin",
      charged: true,
      ...slip.claims,
    },
    create: (kernel) => pinning(kernel, slip),
  });
}

function pinning({ user }: Kernel, slip: PinSlip): PinningHooks {
  const hold = slip.hold ?? "pin";
  function* release({ mm, pages }: Pick<Pinned, "mm" | "pages">, contents: "clean" | "dirty") {
    for (const page of pages) yield* user.releasePage(mm, page, hold, contents);
  }
  return {
    *pin(mm, start, count, access) {
      if (slip.charges !== "nothing") {
        const refused = yield* user.chargePins(mm, slip.charges === "twice" ? 2 * count : count);
        if (refused !== 0) return refused;
      }
      const intent = access === "device-writes" && slip.asksFor !== "read access" ? "write" : "read";
      const how = { access: intent, hold, permission: "checked" } as const;
      const pages = yield* user.getPages(mm, start, count, how);
      const isWhole = typeof pages !== "number" && pages.length === count;
      if (typeof pages !== "number" && !isWhole) {
        if (slip.afterHalf !== "forgets them") yield* release({ mm, pages }, "clean");
        if (slip.afterHalf === "gives them back twice") yield* release({ mm, pages }, "clean");
      }
      if (typeof pages === "number" || !isWhole) {
        if (slip.charges !== "nothing") yield* user.unchargePins(mm, count);
        return typeof pages === "number" ? pages : -EFAULT;
      }
      if (slip.keeps === "not at all") yield* release({ mm, pages }, "clean");
      return { mm, start, pages, access };
    },
    *unpin(pinned, contents) {
      const { mm, pages } = pinned;
      const told = slip.marks === "clean" ? "clean" : contents;
      if (slip.keeps === undefined || slip.keeps === "until unpin") yield* release(pinned, told);
      if (slip.keeps === "once too little") {
        yield* release(pinned, told);
        yield* release(pinned, told);
      }
      if (slip.charges !== "nothing" && slip.uncharges !== "nothing")
        yield* user.unchargePins(mm, pages.length);
    },
  };
}

/** The policy that makes no mistake: pins, which are charged. */
export const rightPins = pins("pins");

const right = plain(rightPins);
const ofPins = { kind: "policy", schedule: "sequential", right } as const;
const wrong = (name: string, slip: PinSlip) => plain(pins(`pins that ${name}`, slip));

/** Mistakes in keeping pages for a device. */
export const pinningMutants: readonly Mutant[] = [
  {
    name: "pages are forgotten when a later one fails",
    bug: "B46",
    source: "xdp: unpin umem pages in error path; drm/i915: unpin on error in intel_vgpu_shadow_mm_pin",
    ...ofPins,
    wrong: wrong("forget after half", { afterHalf: "forgets them" }),
    caughtBy: { "GP-08": /leak: freeFrames/, "RC-04": /the references that are left is 9, and must be 0/ },
    sanitizers: ["leak"],
  },
  {
    name: "pages are given back twice when a later one fails",
    bug: "B46",
    source: "RDMA/umem: Fix double dma_buf_unpin in failure path",
    ...ofPins,
    wrong: wrong("give back twice after half", { afterHalf: "gives them back twice" }),
    caughtBy: { "GP-08": /refcount-underflow by/, "RC-04": /refcount-underflow by/ },
    sanitizers: ["refcount-underflow"],
  },
  {
    name: "pages are never given back",
    bug: "B46",
    source: "xdp: unpin umem pages in error path",
    ...ofPins,
    wrong: wrong("keep for ever", { keeps: "for ever" }),
    caughtBy: { "GP-01": /leak: freeFrames/, "GP-08": /leak: freeFrames/ },
    sanitizers: ["leak"],
  },
  {
    name: "pages are given back twice",
    bug: "B46",
    source: "RDMA/umem: Fix double dma_buf_unpin in failure path",
    ...ofPins,
    wrong: wrong("give back twice", { keeps: "once too little" }),
    caughtBy: { "GP-01": /refcount-underflow by/, "GP-08": /refcount-underflow by/ },
    sanitizers: ["refcount-underflow"],
  },
  {
    name: "the device works on pages that nobody holds",
    bug: "B55",
    source: "Mali CVE-2022-33917, CVE-2022-36449",
    ...ofPins,
    wrong: wrong("hold nothing", { keeps: "not at all" }),
    caughtBy: { "GP-03": /which nobody holds/ },
    sanitizers: ["use-after-free"],
  },
  {
    name: "a plain reference is taken for a pin",
    bug: "B49",
    source: "CVE-2020-29374, fix 17839856fd58",
    ...ofPins,
    wrong: wrong("are references", { hold: "reference" }),
    caughtBy: { "GP-04": /what the child reads after the device's store is 13, and must be 10/ },
    sanitizers: ["dma-into-shared"],
  },
  {
    name: "a plain reference claims to be worth less than it is",
    bug: "law",
    source: "Documentation/core-api/pin_user_pages.rst",
    ...ofPins,
    wrong: wrong("claim not to survive munmap", { claims: { survives: ["fork", "exit"] } }),
    caughtBy: { "GP-02": /nobody has reported the page-kind that the program provokes/ },
  },
  {
    name: "a pin claims to lose the process's data at fork",
    bug: "law",
    source: "Documentation/core-api/pin_user_pages.rst",
    ...ofPins,
    wrong: wrong("claim not to be coherent", { claims: { coherentAfterFork: false } }),
    caughtBy: { "GP-05": /what the device reads after the parent's store is 11, and must be 10/ },
  },
  {
    name: "the reserved flag is taken for a hold",
    bug: "mail 4",
    source: "idea 2 of the question of 1998",
    ...ofPins,
    wrong: wrong("are a flag", { hold: "reserved-flag" }),
    caughtBy: { "GP-02": /last reference dropped with flags set \(reserved\)/ },
    sanitizers: ["page-kind"],
  },
  {
    name: "a quarantine is claimed that there is not",
    bug: "mail 4",
    source: "Zircon zx_bti_release_quarantine",
    ...ofPins,
    wrong: wrong("claim a quarantine", { claims: { onDeath: "quarantined" } }),
    caughtBy: { "GP-03": /pages in quarantine is 0, and must be 2/ },
  },
  {
    name: "a device is claimed to be stopped first that is not",
    bug: "mail 4",
    source: "mm/mmu_notifier.c release before exit_mmap",
    ...ofPins,
    wrong: wrong("claim to stop the device", { claims: { onDeath: "device-stopped-first" } }),
    caughtBy: { "GP-03": /how often the device is told to stop is 0, and must be 1/ },
  },
  {
    name: "pages are charged to nobody",
    bug: "B54",
    source: "CVE-2019-3882 vfio, fix 492855939bdb",
    ...ofPins,
    wrong: wrong("charge nothing", { charges: "nothing" }),
    caughtBy: { "RC-08": /VmPin while they are held is 0, and must be 2/ },
  },
  {
    name: "a charge is never taken back",
    bug: "B54",
    source: "CVE-2019-3882 vfio, fix 492855939bdb",
    ...ofPins,
    wrong: wrong("keep the charge", { uncharges: "nothing" }),
    caughtBy: {
      "GP-01": /VmPin after it is 2, and must be 0/,
      "RC-08": /VmPin afterwards is 2, and must be 0/,
    },
  },
  {
    name: "a device writes to what was asked for reading",
    bug: "B48",
    source: "CVE-2016-5195, fix 19be0eaffa3a",
    ...ofPins,
    wrong: wrong("ask for read access", { asksFor: "read access" }),
    caughtBy: {
      "GP-06": /pinning read-only memory for a device that writes answers 0, and must fail with EFAULT/,
    },
  },
  {
    name: "what the device wrote is given back clean",
    bug: "law",
    source: "mm/gup.c unpin_user_pages_dirty_lock",
    ...ofPins,
    wrong: wrong("mark nothing dirty", { marks: "clean" }),
    caughtBy: { "GP-10": /whether the page is dirty once it is given back is false, and must be true/ },
  },
];
