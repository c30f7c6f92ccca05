import { backingKinds } from "../contract/backing.ts";
import type { DeviceDriver, DeviceDriverSupports } from "../contract/device-driver.ts";
import type { DeviceMirror, MirrorSupports } from "../contract/device-follower.ts";
import type { PinningPolicy, PinningSupports } from "../contract/pinning-policy.ts";
import type { MappingStrategy, StrategySupports } from "../contract/strategy.ts";
import { anyOf } from "./problem.ts";
import { isRecord, listOf, oneOf, type Shape, trueOrFalse } from "./shape.ts";

/** Anything that can be registered. */
export type Plugin = MappingStrategy | DeviceMirror | PinningPolicy | DeviceDriver<never>;

/** What a kind of plugin must look like. */
export interface PluginKind {
  /** As it reads in a sentence. */
  readonly title: string;
  /** The setting that names a plugin of this kind. */
  readonly path: string;
  /** The function that puts it to work. */
  readonly method: "create" | "load";
  readonly supports: Readonly<Record<string, Shape>>;
  /** What is wrong with fields that are right one by one, a sentence each. */
  readonly checkTogether?: (supports: Readonly<Record<string, unknown>>) => readonly string[];
}

export const strategyKind: PluginKind = {
  title: "strategy",
  path: "strategy",
  method: "create",
  supports: {
    populate: oneOf(["eager", "lazy"]),
    backing: listOf(backingKinds, "not empty"),
    whileRevoked: oneOf(["wait", "sigbus"]),
    mremapGrow: trueOrFalse,
    holes: trueOrFalse,
    largeLeaves: trueOrFalse,
    countsPages: listOf(backingKinds, "any size"),
    privateWritable: listOf(backingKinds, "any size"),
  } satisfies Record<keyof StrategySupports, Shape>,
  checkTogether: ({ backing, ...rest }) =>
    (["countsPages", "privateWritable"] as const).flatMap((field) => {
      const beyond = namesIn(rest[field]).filter((kind) => !namesIn(backing).includes(kind));
      if (beyond.length === 0) return [];
      return [`supports.${field} names ${anyOf(beyond)}, which supports.backing does not`];
    }),
};

/** What no setting names by itself: a pinning policy that holds nothing is built on one. */
export const mirrorKind: PluginKind = {
  title: "mirror",
  path: "mirror",
  method: "create",
  supports: {
    accessor: oneOf(["device"]),
    forms: listOf(["atomic", "sleeping"], "not empty"),
    holdsOff: oneOf(["whole-mm", "range"]),
  } satisfies Record<keyof MirrorSupports, Shape>,
};

export const pinningKind: PluginKind = {
  title: "pinning policy",
  path: "pinning",
  method: "create",
  supports: {
    holdsBy: oneOf(["reference", "pin", "reserved-flag", "ghost-mm", "notifier"]),
    survives: listOf(["munmap", "fork", "exit"], "any size"),
    survivesOnLegacy: listOf(["munmap", "fork", "exit"], "any size"),
    coherentAfterFork: trueOrFalse,
    onDeath: oneOf(["kept-until-unpin", "quarantined", "device-stopped-first", "unsafe"]),
    charged: trueOrFalse,
  } satisfies Record<keyof PinningSupports, Shape>,
};

export const driverKind: PluginKind = {
  title: "device driver",
  path: "device.name",
  method: "load",
  supports: {
    backing: listOf(backingKinds, "not empty"),
    dma: oneOf(["none", "pinned-user-pages"]),
  } satisfies Record<keyof DeviceDriverSupports, Shape>,
};

function namesIn(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.filter((item) => typeof item === "string") : [];
}

const kinds: readonly PluginKind[] = [strategyKind, mirrorKind, pinningKind, driverKind];

/**
 * Which kind of plugin a value means to be, by the fields that it has: so that one with mistakes is told what is
 * wrong with it, and a value that is no plugin at all is left alone.
 */
export function kindOf(candidate: unknown): PluginKind | undefined {
  if (!isRecord(candidate)) return undefined;
  const { supports } = candidate;
  // A name with a method looks like a plugin that forgot its `supports`.
  if (!isRecord(supports) && !("name" in candidate)) return undefined;
  const likeness = (kind: PluginKind): number => {
    const fields = isRecord(supports) ? Object.keys(kind.supports).filter((field) => field in supports) : [];
    return 2 * fields.length + (typeof candidate[kind.method] === "function" ? 1 : 0);
  };
  const scores = kinds.map(likeness);
  const best = Math.max(...scores);
  return best === 0 ? undefined : kinds[scores.indexOf(best)];
}
