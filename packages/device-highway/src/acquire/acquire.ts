/// <reference types="node" />
import { createHash } from "node:crypto";
import type { Machine, RunReport } from "@nopage/core";
import type { LoadedDriver, VirtualNs } from "@nopage/core/contract";
import type { HardwareBreach } from "../card/rule-book.ts";
import type { HighwayStatistics } from "../driver/ioctl.ts";
import { LoadedHighway } from "../driver/loaded-highway.ts";
import type { Signal } from "../signal/signal.ts";
import { type AcquireOptions, settleAcquisition } from "./acquire-options.ts";
import { AcquireProgram } from "./acquire-program.ts";
import { interleave, recordingsOf } from "./channels.ts";
import type { TouchRecord } from "./touch-record.ts";

/** What the program runs in: a machine on which the Highway driver is loaded. A `World` is one. */
export interface AcquireWorld {
  readonly machine: Machine;
  readonly driver: LoadedDriver;
  /** Runs what was spawned until nothing more happens. */
  run(): RunReport;
}

/** Bytes and their checksum in hexadecimal. */
export interface Fingerprint {
  readonly bytes: number;
  readonly sha256: string;
}

/** How an acquisition went: plain data. */
export interface AcquireResult {
  readonly signal: Fingerprint;
  readonly acquired: Fingerprint;
  /** Whether the acquired bytes are the signal's. */
  readonly equal: boolean;
  /** Transfers, chunks and interrupts of this run. */
  readonly statistics: HighwayStatistics;
  /** Loads of the mapped region by the watching threads. */
  readonly polls: number;
  /** Loads that had to wait for the end of a transfer. */
  readonly waits: { readonly count: number; readonly longestNs: VirtualNs; readonly totalNs: VirtualNs };
  /** Loads that ended in SIGBUS. */
  readonly sigbus: number;
  /** Loads that ended in another signal; none on a strategy that works. */
  readonly otherTraps: number;
  /** Looks that found something else than the card shows there; none on a strategy that works. */
  readonly wrongValues: number;
  /** Breaches of the card's rules; none on a strategy that works. */
  readonly violations: readonly HardwareBreach[];
  /** Virtual time that the run took. */
  readonly elapsedNs: VirtualNs;
  /** What went wrong, if the program did not reach its end; undefined if it did. */
  readonly failure: string | undefined;
}

/**
 * Connects a signal to the card, runs the acquisition program to its end, and says what came of it. The process is gone
 * afterwards; the driver stays loaded, and the next run starts anew.
 *
 * Deterministic: world, signal and options decide the result.
 *
 * @throws TypeError when the world's driver is not this package's, RangeError for options that make no sense
 */
export function acquire(world: AcquireWorld, signal: Signal, options: AcquireOptions = {}): AcquireResult {
  const { machine, driver } = world;
  if (!(driver instanceof LoadedHighway) || driver.card === undefined) {
    throw new TypeError("acquire needs a world with the highway driver on a highway card");
  }
  const settings = settleAcquisition(options);
  const { card, path, interfaces } = driver;
  const recordings = recordingsOf(signal, interfaces);
  recordings.forEach((recording, index) => {
    card.feed(index, recording);
  });
  const before = { breaches: card.breaches.length, statistics: driver.statistics, now: machine.sched.now };
  const program = new AcquireProgram({ path, recordings, interfaces, settings });
  const process = machine.spawn("acquire", (thread) => program.run(thread));
  const report = world.run();
  const acquired = interleave(program.streams);
  return {
    ...summarise(program.touches),
    signal: fingerprint(signal.bytes),
    acquired: fingerprint(acquired),
    equal: Buffer.compare(acquired, signal.bytes) === 0,
    statistics: difference(driver.statistics, before.statistics),
    violations: card.breaches.slice(before.breaches),
    elapsedNs: machine.sched.now - before.now,
    failure:
      program.failure ?? (process.isGone ? undefined : `${report.status}: ${report.waiting.join("; ")}`),
  };
}

function summarise(touches: TouchRecord) {
  return {
    polls: touches.touches,
    waits: { count: touches.waits, longestNs: touches.longestWaitNs, totalNs: touches.totalWaitNs },
    sigbus: touches.sigbus,
    otherTraps: touches.otherTraps,
    wrongValues: touches.wrongValues,
  };
}

function difference(after: HighwayStatistics, before: HighwayStatistics): HighwayStatistics {
  return {
    transfers: after.transfers - before.transfers,
    bytes: after.bytes - before.bytes,
    chunks: after.chunks - before.chunks,
    interrupts: after.interrupts - before.interrupts,
    aborted: after.aborted - before.aborted,
  };
}

function fingerprint(bytes: Uint8Array): Fingerprint {
  return { bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
}
