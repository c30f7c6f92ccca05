import type { VirtualNs } from "@nopage/core/contract";
import { type AcquireOptions, settleAcquisition } from "../acquire/acquire-options.ts";
import { AcquireProgram } from "../acquire/acquire-program.ts";
import { recordingsOf } from "../acquire/channels.ts";
import type { Signal } from "../signal/signal.ts";
import { Bystander } from "./bystander.ts";
import { DeathWatch, highwayOf, type KillWorld, settleWorld } from "./death-watch.ts";
import type { KillOutcome } from "./kill-outcome.ts";

/**
 * The acquisition of a signal, as `acquire` does it, with the process killed `at` virtual nanoseconds after its start, while
 * another process takes whatever memory comes free. The driver is unloaded in the end.
 *
 * @throws TypeError when the world's driver is not this package's, RangeError for options that make no sense
 */
export function killAcquisition(
  world: KillWorld,
  signal: Signal,
  at: VirtualNs,
  options: AcquireOptions = {},
): KillOutcome {
  const { machine } = world;
  const { card, path, interfaces } = highwayOf(world);
  const recordings = recordingsOf(signal, interfaces);
  recordings.forEach((recording, index) => {
    card?.feed(index, recording);
  });
  const program = new AcquireProgram({ path, recordings, interfaces, settings: settleAcquisition(options) });
  const process = machine.spawn("acquire", (thread) => program.run(thread));
  const watch = new DeathWatch(machine, process);
  watch.arrange({ at });
  const bystander = new Bystander(at);
  machine.spawn("bystander", (thread) => bystander.run(thread));
  const report = world.run();
  const { damagedPages } = bystander;
  return {
    killedAt: watch.killedAt,
    dyingNs: watch.dyingNs,
    watcherNs: program.touches.longestWaitNs,
    secondNs: undefined,
    damage: damagedPages > 0 ? [`${damagedPages} pages of a bystander were overwritten`] : [],
    lostData: false,
    ...settleWorld(world, report),
  };
}
