import type { ActorState } from "@nopage/testkit/executor";
import { type Guest, GuestLost } from "../guest/guest.ts";
import { inWords, isStandingStill, type LabActor } from "./lab-actor.ts";

/** Whether an actor waits in the kernel, by two looks at it that are so many milliseconds apart, or goes on, or is over. */
export async function stateOf(
  other: LabActor,
  guest: Pick<Guest, "statesOf">,
  apart: number,
): Promise<ActorState> {
  if (other.hasEnded) return "ended";
  const { doing } = other;
  if (doing.what === "sleeping" || doing.what === "joining") return "blocked";
  if (doing.what !== "asked") return "running";
  const [before] = await guest.statesOf([other.index]);
  await new Promise((resolve) => setTimeout(resolve, apart));
  const [after] = await guest.statesOf([other.index]);
  if (other.hasEnded) return "ended";
  return other.doing === doing && isStandingStill(before, after) ? "blocked" : "running";
}

/**
 * Waits until the kernel has seen a thread out that has been told to leave: what it has counted for itself, resident pages for
 * one (`sync_mm_rss` in kernel/exit.c do_exit of 6.1), counts for its process only then.
 *
 * @throws GuestLost when it has not gone after so many milliseconds
 */
export async function untilGone(
  thread: LabActor,
  guest: Pick<Guest, "statesOf">,
  patience: number,
): Promise<void> {
  const begun = performance.now();
  while (thread.process.exit === undefined) {
    const [now] = await guest.statesOf([thread.index]);
    if (now === undefined || now.state === "ended") return;
    if (performance.now() - begun > patience) {
      throw new GuestLost(`${inWords(thread)}: it was told to leave, and is there after ${patience} ms`);
    }
  }
}
