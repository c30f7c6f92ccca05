import type { Process } from "@nopage/core";
import { Bystander } from "./bystander.ts";
import { DeathWatch, highwayOf, type KillWorld, settleWorld } from "./death-watch.ts";
import type { KillPlan } from "./kill-plan.ts";
import { SecondOpener } from "./second-opener.ts";
import { Victim } from "./victim.ts";

/** The players of one run, on their places: a process that acquires as its plan says, and everybody around it. */
export class Stage {
  readonly victim: Victim;
  readonly process: Process;
  readonly watch: DeathWatch;
  readonly second: SecondOpener;
  readonly #world: KillWorld;
  readonly #bystander = new Bystander();

  /** @throws TypeError when the world's driver is not this package's */
  constructor(world: KillWorld, plan: KillPlan) {
    const { machine } = world;
    const { card } = highwayOf(world);
    const { pageSize } = machine.geometry;
    const recording = Uint8Array.from({ length: 8 * pageSize }, (_, at) => (at * 7 + (at >> 8) + 1) & 0xff);
    card?.feed(0, { bytes: recording, sampleRateHz: 8000 });
    this.#world = world;
    this.victim = new Victim(plan, pageSize, recording);
    this.process = machine.spawn("victim", (thread) => this.victim.run(thread));
    this.watch = new DeathWatch(machine, this.process);
    machine.spawn("bystander", (thread) => this.#bystander.run(thread));
    this.second = new SecondOpener(this.victim, this.process);
    if (plan.meanwhile.includes("second-open")) machine.spawn("second", (thread) => this.second.run(thread));
  }

  /** Runs everything to its end, unloads the driver, and puts in words what was wrong. */
  play() {
    const report = this.#world.run();
    const { damagedPages } = this.#bystander;
    const damage: string[] = [];
    if (damagedPages > 0) damage.push(`${damagedPages} pages of a bystander were overwritten`);
    if (this.victim.isChildDamaged) damage.push("memory of the child changed under it");
    const { lostData, longestWatchNs } = this.victim;
    return { watcherNs: longestWatchNs, damage, lostData, ...settleWorld(this.#world, report) };
  }
}
