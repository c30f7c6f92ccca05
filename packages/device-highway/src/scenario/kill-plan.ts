import type { PinningEvent } from "@nopage/core/contract";

/**
 * What goes on in and around a process that acquires, until it is killed.
 *
 * - `munmap`: it unmaps the buffer while the transfer runs.
 * - `fork`: it forks, and stores to the buffer's pages afterwards; the child reads them and keeps the device open a while.
 * - `second-open`: another process wants the device, again and again until it gets it, and acquires something too.
 */
export interface KillPlan {
  /** `multi`: one thread waits for the transfer, one does the rest, one watches the mapped region. */
  readonly threads: "single" | "multi";
  readonly meanwhile: readonly ("munmap" | "fork" | "second-open")[];
}

/** Every combination: with one thread and with several, with nothing and with everything going on. */
export const killPlans: readonly KillPlan[] = (["single", "multi"] as const).flatMap((threads) =>
  (
    [
      [],
      ["munmap"],
      ["fork"],
      ["second-open"],
      ["munmap", "second-open"],
      ["fork", "munmap", "second-open"],
    ] as const
  ).map((meanwhile): KillPlan => ({ threads, meanwhile })),
);

/** A plan in words: `multi-threaded, with munmap and second-open`. */
export function describePlan({ threads, meanwhile }: KillPlan): string {
  return `${threads}-threaded${meanwhile.length > 0 ? `, with ${meanwhile.join(" and ")}` : ""}`;
}

/** What a pinning policy has to survive if the plan is carried out and the process killed. */
export function eventsOf({ meanwhile }: KillPlan, isKilled: boolean): readonly PinningEvent[] {
  const events: PinningEvent[] = meanwhile.filter((event) => event !== "second-open");
  return isKilled ? [...events, "exit"] : events;
}
