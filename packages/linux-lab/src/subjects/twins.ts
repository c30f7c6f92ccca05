import type { SubjectSupports } from "@nopage/testkit/executor";
import type { SubjectDefinition } from "../subject/lab-subject.ts";
import { defineMirrorTwin } from "./mirror-twin.ts";
import { definePinningTwin, type PinningTwin } from "./pinner-twin.ts";
import { defineTwin, type TwinKind } from "./twin.ts";

/** What all kinds of memory have in common under a strategy. */
type Common = Pick<SubjectSupports, "populate" | "whileRevoked" | "mremapGrow">;

const pages = { countsPages: true, privateWritable: true };
const bareFrames = { countsPages: false, privateWritable: false };

function twinsOf(
  strategy: string,
  common: Common,
  kinds: Partial<Record<TwinKind, Omit<SubjectSupports, keyof Common>>>,
): readonly SubjectDefinition[] {
  return (Object.entries(kinds) as [TwinKind, Omit<SubjectSupports, keyof Common>][]).map(([kind, rest]) =>
    defineTwin({ strategy, kind, supports: { ...common, ...rest } }),
  );
}

const following: PinningTwin["supports"] = {
  holds: "nothing",
  survives: ["munmap", "fork", "exit"],
  coherentAfterFork: true,
  onDeath: "device-stopped-first",
  charged: false,
};
const pinned: PinningTwin["supports"] = {
  ...following,
  holds: "pages",
  onDeath: "kept-until-unpin",
  charged: true,
};

/** The policies that a driver of today can choose from; `ghost-mm` and `reserved` hold nothing in 6.1. */
const policies: readonly PinningTwin[] = [
  { policy: "longterm", supports: pinned },
  { policy: "quarantine", supports: { ...pinned, onDeath: "quarantined" } },
  {
    policy: "refcount",
    supports: { ...pinned, survives: ["munmap", "exit"], coherentAfterFork: false, charged: false },
  },
  { policy: "none-notifier", supports: following },
  { policy: "none-interval", supports: following },
];

/** The strategies in C, each on every kind of memory that it shows; what they promise is what the model's do. */
const mappingTwins: readonly SubjectDefinition[] = [
  ...twinsOf(
    "eager-remap",
    { populate: "eager", whileRevoked: "sigbus", mremapGrow: false },
    {
      window: { countsPages: false, privateWritable: true },
      coherent: { countsPages: false, privateWritable: true },
    },
  ),
  ...twinsOf(
    "lazy-nopage",
    { populate: "lazy", whileRevoked: "wait", mremapGrow: true },
    { window: bareFrames, pages, holes: pages },
  ),
  ...twinsOf(
    "page-lookup",
    { populate: "lazy", whileRevoked: "wait", mremapGrow: true },
    { linear: pages, vmalloc: pages, pages, holes: pages },
  ),
  ...twinsOf(
    "pfn-nopage",
    { populate: "lazy", whileRevoked: "wait", mremapGrow: false },
    { window: bareFrames, coherent: bareFrames },
  ),
];

const pinnedPages = defineTwin({
  strategy: "page-lookup",
  kind: "pages",
  supports: { populate: "lazy", whileRevoked: "wait", mremapGrow: true, ...pages },
});

/** Every built-in strategy, mirror and pinning policy that has a twin in C. */
export const twins: readonly SubjectDefinition[] = [
  ...mappingTwins,
  defineMirrorTwin("notifier-mirror", ["atomic", "sleeping"], "whole-mm"),
  defineMirrorTwin("interval-mirror", ["sleeping"], "range"),
  ...policies.map((policy) => definePinningTwin(policy, pinnedPages)),
];
