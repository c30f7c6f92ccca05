import type { ActorState } from "@nopage/testkit/executor";
import type { Guest } from "../guest/guest.ts";
import { isStandingStill, type LabActor } from "./lab-actor.ts";

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
