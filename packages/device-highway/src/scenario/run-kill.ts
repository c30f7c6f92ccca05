import type { Chooser } from "@nopage/core";
import { runToBlock } from "@nopage/core";
import type { VirtualNs } from "@nopage/core/contract";
import type { DeathWatch, KillWorld } from "./death-watch.ts";
import type { KillOutcome } from "./kill-outcome.ts";
import type { KillPlan } from "./kill-plan.ts";
import { type KillTime, WatchedChooser } from "./killing.ts";
import { Stage } from "./stage.ts";
import type { Victim } from "./victim.ts";

/** Builds a new world, with the Highway driver loaded, whose machine has the given chooser. */
export type BuildWorld = (chooser: Chooser) => KillWorld;

/** One run of the scenario, in a world of its own: the process is killed at `time`, or not at all. */
export function runKill(
  build: BuildWorld,
  plan: KillPlan,
  time: KillTime | undefined,
  chooser: Chooser = runToBlock,
): KillOutcome {
  const watched = new WatchedChooser(chooser);
  const world = build(watched);
  return carryOut(world, plan, (watch) => watch.arrange(time, watched));
}

/** What an undisturbed run shows: when anything happens at all, and how many steps it takes. */
export function observe(
  build: BuildWorld,
  plan: KillPlan,
  chooser: Chooser = runToBlock,
): { readonly times: readonly VirtualNs[]; readonly steps: number; readonly outcome: KillOutcome } {
  const watched = new WatchedChooser(chooser);
  const world = build(watched);
  const { sched } = world.machine;
  const start = sched.now;
  const times = new Set<VirtualNs>();
  let steps = 0;
  let isRunning = true;
  const outcome = carryOut(world, plan, (_watch, victim) => {
    watched.watch(() => {
      if (victim.isDone) isRunning = false;
      if (!isRunning) return;
      times.add(sched.now - start);
      steps++;
    });
  });
  return { times: [...times], steps, outcome };
}

function carryOut(
  world: KillWorld,
  plan: KillPlan,
  prepare: (watch: DeathWatch, victim: Victim) => void,
): KillOutcome {
  const stage = new Stage(world, plan);
  prepare(stage.watch, stage.victim);
  const played = stage.play();
  const { killedAt, dyingNs } = stage.watch;
  const { openedAt } = stage.second;
  const isLater = killedAt !== undefined && openedAt !== undefined && openedAt >= killedAt;
  return { killedAt, dyingNs, secondNs: isLater ? openedAt - killedAt : undefined, ...played };
}
