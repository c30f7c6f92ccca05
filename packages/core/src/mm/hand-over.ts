import type { Atomic, MayInterleave } from "../contract/execution.ts";
import { type FaultOutcome, mapPage, retryNow, sigbus } from "../contract/outcome.ts";
import type { Page } from "../contract/units.ts";
import type { Machine } from "../machine.ts";
import { noteLookAt } from "./page-points.ts";

/** Answers a fault with a page that its owner may free at any time; see `PageCounts.handOver`. */
export function handOver(machine: Machine, page: Page): MayInterleave<FaultOutcome> {
  const { frames } = machine.memory;
  if (machine.sched.interleaving) return handOverLater(machine, page);
  if (!frames.mayBeMapped(page)) return sigbus;
  return frames.tryGet(page) ? mapPage(page) : sigbus;
}

/** The page that was fit to be mapped may be free by now, or somebody else's. */
function* handOverLater(machine: Machine, page: Page): Atomic<FaultOutcome> {
  const { frames } = machine.memory;
  noteLookAt(machine, page);
  if (!frames.mayBeMapped(page)) return sigbus;
  const isHeld = yield* machine.tryGetPage(page);
  if (frames.mayBeMapped(page)) return isHeld ? mapPage(page) : sigbus;
  if (isHeld) yield* machine.putPage(page);
  return retryNow;
}
