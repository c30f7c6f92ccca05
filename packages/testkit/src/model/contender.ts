import type { DeviceMirror, Kernel, Machine, MappingStrategy, PinningPolicy } from "@nopage/core";
import { guardedMirror } from "../guard/guarded-mirror.ts";
import { guardedPolicy } from "../guard/guarded-policy.ts";
import { guardedStrategy } from "../guard/guarded-strategy.ts";
import type { Stage, Trial } from "../laws/law.ts";
import { createMirrorSubject } from "./mirror-subject.ts";
import { createModelPinner } from "./model-pinner.ts";
import { createModelSubject, nameOf } from "./model-subject.ts";
import { plainPages } from "./plain-pages.ts";
import { plainPins } from "./plain-pins.ts";

/** What the laws can be run on. */
export type Plugin = MappingStrategy | DeviceMirror | PinningPolicy;

/** A plugin in one of the situations that it says it can work in. */
export interface Contender {
  /** The plugin and the situation, such as `lazy-nopage on page-array`. */
  readonly name: string;
  readonly trial: Trial;
  /**
   * Puts it to work on a machine, with all that it does looked at.
   *
   * @throws ContractViolation when the plugin cannot even be put to work
   */
  place(machine: Machine, kernel: Kernel): Placed;
}

/** A plugin at work. */
export interface Placed {
  readonly stage: Stage;
  /** What it did, or let others do, that no program of user space could see. */
  trespasses(): readonly string[];
}

/** Every situation that a plugin is to be tried in. */
export function contendersOf(plugin: Plugin): readonly Contender[] {
  if (isPolicy(plugin)) return [pinning(plugin)];
  if (isMirror(plugin)) return [mirroring(plugin)];
  return mapping(plugin);
}

function isPolicy(plugin: Plugin): plugin is PinningPolicy {
  return "holdsBy" in plugin.supports;
}

function isMirror(plugin: Plugin): plugin is DeviceMirror {
  return "accessor" in plugin.supports;
}

/** A strategy on every kind of memory that it shows, and with holes in it where it allows those. */
function mapping(strategy: MappingStrategy): readonly Contender[] {
  const { backing, holes } = strategy.supports;
  const whole = backing.map((kind) => ({ strategy, backing: kind, holes: "none" }) as const);
  const all =
    holes && backing.includes("page-array")
      ? [...whole, { strategy, backing: "page-array", holes: "some" } as const]
      : whole;
  return all.map((tried) => ({
    name: nameOf(tried),
    trial: "mapping",
    place(machine, kernel) {
      const guarded = { ...tried, strategy: guardedStrategy(strategy, machine) };
      const subject = createModelSubject(machine, kernel, guarded);
      const pinner = createModelPinner(machine, kernel, plainPins);
      const stage = {
        trial: "mapping",
        subject,
        pinner,
        tried: { geometry: machine.geometry, ...guarded },
      } as const;
      return { stage, trespasses: () => subject.shown.trespasses };
    },
  }));
}

function mirroring(mirror: DeviceMirror): Contender {
  return {
    name: mirror.name,
    trial: "mirroring",
    place(machine, kernel) {
      const subject = createMirrorSubject(machine, kernel, guardedMirror(mirror, machine));
      return { stage: { trial: "mirroring", subject, pinner: undefined }, trespasses: () => [] };
    },
  };
}

function pinning(policy: PinningPolicy): Contender {
  return {
    name: policy.name,
    trial: "pinning",
    place(machine, kernel) {
      const shown = { strategy: plainPages, backing: "page-array", holes: "none" } as const;
      const subject = createModelSubject(machine, kernel, shown);
      const pinner = createModelPinner(machine, kernel, guardedPolicy(policy, machine));
      return { stage: { trial: "pinning", subject, pinner }, trespasses: () => [] };
    },
  };
}
