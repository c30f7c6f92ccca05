import { createKernel } from "@nopage/core";
import { errnoName, type VirtualNs } from "@nopage/core/contract";
import { type AcquireOptions, settleAcquisition } from "../acquire/acquire-options.ts";
import { AcquireProgram } from "../acquire/acquire-program.ts";
import { recordingsOf } from "../acquire/channels.ts";
import type { Signal } from "../signal/signal.ts";
import { highwayOf, type KillWorld, settleWorld } from "./death-watch.ts";
import type { UnplugOutcome } from "./unplug-outcome.ts";

/** How long after the removal somebody tries to open the device anew. */
const LATER_NS = 1000;

/**
 * The acquisition of a signal, as `acquire` does it, with the card pulled out of its slot `at` virtual nanoseconds after
 * the start. Afterwards another process tries to open the device, and the driver is unloaded.
 *
 * @throws TypeError when the world's driver is not this package's, RangeError for options that make no sense
 */
export function unplugAcquisition(
  world: KillWorld,
  signal: Signal,
  at: VirtualNs,
  options: AcquireOptions = {},
): UnplugOutcome {
  const { machine } = world;
  const { card, path, interfaces, slot } = highwayOf(world);
  const recordings = recordingsOf(signal, interfaces);
  recordings.forEach((recording, index) => {
    card?.feed(index, recording);
  });
  const program = new AcquireProgram({ path, recordings, interfaces, settings: settleAcquisition(options) });
  const process = machine.spawn("acquire", (thread) => program.run(thread));
  const kernel = createKernel(machine);
  let unpluggedAt: VirtualNs | undefined;
  let removalNs = 0;
  let laterOpen: string | undefined;
  machine.spawn("latecomer", function* (thread) {
    yield* thread.nanosleep(at);
    if (process.isGone) return;
    unpluggedAt = machine.sched.now;
    yield* kernel.pci.unplug(slot);
    removalNs = machine.sched.now - unpluggedAt;
    yield* thread.nanosleep(LATER_NS);
    const file = yield* thread.open({ path, mode: "read-write", blocking: "nonblocking" });
    laterOpen = file < 0 ? `-${errnoName(file)}` : "opened";
  });
  const report = world.run();
  const { touches, streams, failure } = program;
  const { quarantinedPages, ...settled } = settleWorld(world, report);
  return {
    unpluggedAt,
    removalNs,
    signalBytes: signal.bytes.length,
    acquired: streams.reduce((sum, { length }) => sum + length, 0),
    failure,
    woken: touches.woken,
    sigbus: touches.sigbus,
    otherTraps: touches.otherTraps,
    laterOpen,
    breaches: card?.breaches.length ?? 0,
    ...settled,
    leaks:
      quarantinedPages > 0 ? [...settled.leaks, `${quarantinedPages} pages in quarantine`] : settled.leaks,
  };
}
