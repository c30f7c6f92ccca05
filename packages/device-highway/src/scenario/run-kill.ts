import type { Chooser } from "@nopage/core";
import { runToBlock } from "@nopage/core";
import type { VirtualNs } from "@nopage/core/contract";
import { Bystander } from "./bystander.ts";
import { DeathWatch, highwayOf, type KillWorld, settleWorld } from "./death-watch.ts";
import type { KillOutcome } from "./kill-outcome.ts";
import type { KillPlan } from "./kill-plan.ts";
import { type KillTime, WatchedChooser } from "./killing.ts";
import { SecondOpener } from "./second-opener.ts";
import { Victim } from "./victim.ts";

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
  const { machine } = world;
  const { card } = highwayOf(world);
  const { pageSize } = machine.geometry;
  const recording = Uint8Array.from({ length: 8 * pageSize }, (_, at) => (at * 7 + (at >> 8) + 1) & 0xff);
  card?.feed(0, { bytes: recording, sampleRateHz: 8000 });
  const victim = new Victim(plan, pageSize, recording);
  const process = machine.spawn("victim", (thread) => victim.run(thread));
  const watch = new DeathWatch(machine, process);
  const bystander = new Bystander();
  machine.spawn("bystander", (thread) => bystander.run(thread));
  const second = new SecondOpener(victim, process);
  if (plan.meanwhile.includes("second-open")) machine.spawn("second", (thread) => second.run(thread));
  prepare(watch, victim);
  const report = world.run();
  const { killedAt, dyingNs } = watch;
  const { openedAt } = second;
  const isLater = killedAt !== undefined && openedAt !== undefined && openedAt >= killedAt;
  const damage: string[] = [];
  if (bystander.damagedPages > 0)
    damage.push(`${bystander.damagedPages} pages of a bystander were overwritten`);
  if (victim.isChildDamaged) damage.push("memory of the child changed under it");
  return {
    killedAt,
    dyingNs,
    watcherNs: victim.longestWatchNs,
    secondNs: isLater ? openedAt - killedAt : undefined,
    damage,
    lostData: victim.lostData,
    ...settleWorld(world, report),
  };
}
