import type { Page, Pfn } from "./units.ts";

/**
 * What a `nopage` hook answers: a closed union (`vm_fault_t`). Never an errno.
 *
 * - `page`: map this page. The hook hands over one reference; the core counts the page in rss and mapcount, and gives
 *   the reference back if another thread was faster. For an area without VM_PFNMAP.
 * - `pfn`: map this frame number and count nothing. For an area with VM_PFNMAP or VM_MIXEDMAP that is not
 *   copy-on-write.
 * - `installed`: the hook wrote the entry itself, through `insertPfn` or `insertPage` (VM_FAULT_NOPAGE). If there is
 *   none, the access faults again.
 * - `sigbus`: there is nothing here; the thread gets SIGBUS with BUS_ADRERR and nothing is mapped.
 * - `sigsegv`: the thread gets SIGSEGV with SEGV_MAPERR.
 * - `hwpoison`: the frame is broken; SIGBUS with BUS_MCEERR_AR.
 * - `retry`: ask again, `until` the backing's gate has opened or at once. Allowed when `fault.mayRetry`. The core
 *   drops the mmap lock while it waits, and looks the area up again afterwards.
 * - `oom`: no memory; the access is tried again.
 */
export type FaultOutcome =
  | { readonly kind: "page"; readonly page: Page }
  | { readonly kind: "pfn"; readonly pfn: Pfn }
  | { readonly kind: "installed" }
  | { readonly kind: "sigbus" }
  | { readonly kind: "sigsegv" }
  | { readonly kind: "hwpoison" }
  | { readonly kind: "retry"; readonly until: "gate-opens" | "now" }
  | { readonly kind: "oom" };

/** What a `nopagePfn` hook answers: it has no page to give. */
export type PfnOutcome = Exclude<FaultOutcome, { readonly kind: "page" }>;

export const installed = { kind: "installed" } as const;
export const sigbus = { kind: "sigbus" } as const;
export const sigsegv = { kind: "sigsegv" } as const;
export const hwpoison = { kind: "hwpoison" } as const;
export const oom = { kind: "oom" } as const;
/** Ask again when the gate has opened. */
export const retryWhenOpen = { kind: "retry", until: "gate-opens" } as const;
/** Ask again at once, with the mmap lock dropped in between. */
export const retryNow = { kind: "retry", until: "now" } as const;

/** Hands one reference on `page` to the core. */
export function mapPage(page: Page): FaultOutcome {
  return { kind: "page", page };
}

/** Has the core map `pfn` without counting anything. */
export function mapPfn(pfn: Pfn): PfnOutcome {
  return { kind: "pfn", pfn };
}

const kinds: ReadonlySet<string> = new Set([
  "page",
  "pfn",
  "installed",
  "sigbus",
  "sigsegv",
  "hwpoison",
  "retry",
  "oom",
]);

/**
 * Checks the form of a hook's answer; what the areas allow is checked by the core when it maps.
 *
 * @returns a sentence that says what is wrong, or undefined
 */
export function checkOutcome(outcome: unknown, mayRetry: boolean): string | undefined {
  if (typeof outcome !== "object" || outcome === null || !("kind" in outcome)) {
    return `answered ${String(outcome)} instead of a fault outcome such as { kind: "sigbus" }`;
  }
  const { kind } = outcome as { readonly kind: unknown };
  if (typeof kind !== "string" || !kinds.has(kind)) {
    return `answered kind ${String(kind)}; the kinds are ${[...kinds].join(", ")}`;
  }
  const value = kind === "page" || kind === "pfn" ? (outcome as Record<string, unknown>)[kind] : 0;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    return `answered kind ${kind} with ${String(value)} where a frame number was expected`;
  }
  if (kind === "retry" && !mayRetry) return "answered retry to a fault that does not allow it";
  return undefined;
}
