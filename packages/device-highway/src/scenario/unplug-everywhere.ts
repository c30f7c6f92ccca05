import { type Chooser, createKernel, randomChooser, runToBlock } from "@nopage/core";
import type { PinningEvent, VirtualNs } from "@nopage/core/contract";
import { highwayOf, type KillWorld } from "./death-watch.ts";
import { eventsOf, type KillPlan } from "./kill-plan.ts";
import { WatchedChooser } from "./killing.ts";
import { type BuildWorld, observe } from "./run-kill.ts";
import { Stage } from "./stage.ts";
import type { UnpluggedOutcome } from "./unplugged-outcome.ts";

/** When the card is pulled, counted from the start; the process may be killed about then too. */
export interface UnplugTime {
  readonly at: VirtualNs;
  /** How long after the card is pulled the process is killed; negative for before. Left out, it lives on. */
  readonly killedAfter?: VirtualNs;
}

/** One run of many. */
export interface UnplugCase {
  /** How it can be run again. */
  readonly how: string;
  /** What the pinning policy had to survive besides. */
  readonly events: readonly PinningEvent[];
  readonly outcome: UnpluggedOutcome;
}

/** One run of the scenario in a world of its own: the card is pulled out of its slot at a time, whatever it is doing. */
export function runUnplug(
  build: BuildWorld,
  plan: KillPlan,
  time: UnplugTime,
  chooser: Chooser = runToBlock,
): UnpluggedOutcome {
  const watched = new WatchedChooser(chooser);
  return pullDuring(build(watched), plan, time);
}

/**
 * Pulls the card at every moment at which anything happens, and just before, one run each; every task runs until it
 * sleeps.
 */
export function* unplugAtEveryTime(
  build: BuildWorld,
  plan: KillPlan,
  killedAfter?: VirtualNs,
): Generator<UnplugCase> {
  const { times } = observe(build, plan);
  const moments = new Set(times.flatMap((time) => [Math.max(0, time - 1), time]));
  for (const at of moments) {
    const time = killedAfter === undefined ? { at } : { at, killedAfter };
    yield toCase(plan, describe(time), runUnplug(build, plan, time));
  }
}

/** Pulls the card at a time of each of `count` random schedules, the times being spread evenly over the run. */
export function* unplugAtRandomTimes(
  build: BuildWorld,
  plan: KillPlan,
  count: number,
): Generator<UnplugCase> {
  const { times } = observe(build, plan, randomChooser(0));
  const end = Math.max(...times);
  for (let seed = 1; seed <= count; seed++) {
    const time = { at: Math.floor(((seed * 0.618_033_988_75) % 1) * end) };
    const outcome = runUnplug(build, plan, time, randomChooser(seed));
    yield toCase(plan, `seed ${seed}, ${describe(time)}`, outcome);
  }
}

function pullDuring(world: KillWorld, plan: KillPlan, { at, killedAfter }: UnplugTime): UnpluggedOutcome {
  const { machine } = world;
  const { slot, card } = highwayOf(world);
  const { time } = createKernel(machine);
  const stage = new Stage(world, plan);
  if (killedAfter !== undefined) stage.watch.arrange({ at: Math.max(0, at + killedAfter) });
  let unpluggedAt: VirtualNs | undefined;
  let removalNs: VirtualNs | undefined;
  let wasMoving = false;
  const start = machine.sched.now;
  time.spawnKernelThread(
    "hand",
    function* () {
      if (at > 0) yield* time.sleep(at);
      if (stage.victim.isDone || stage.process.isGone) return;
      unpluggedAt = machine.sched.now - start;
      wasMoving = card?.isDmaRunning === true;
      yield* machine.pci.unplug(slot);
      removalNs = machine.sched.now - start - unpluggedAt;
    },
    "required",
  );
  const played = stage.play();
  return {
    unpluggedAt,
    removalNs,
    wasMoving,
    wasKilled: stage.watch.killedAt !== undefined,
    transfers: stage.victim.transfers.map((transfer) => ({ ...transfer, endedAt: transfer.endedAt - start })),
    lastTouch: stage.victim.lastTouch,
    strangeTraps: stage.victim.strangeTraps,
    breaches: card?.breaches.length ?? 0,
    ...played,
  };
}

function describe({ at, killedAfter }: UnplugTime): string {
  const pulled = `pulled at ${at} ns`;
  return killedAfter === undefined ? pulled : `${pulled}, killed ${killedAfter} ns later`;
}

function toCase(plan: KillPlan, how: string, outcome: UnpluggedOutcome): UnplugCase {
  return { how, events: eventsOf(plan, outcome.wasKilled), outcome };
}
