import type { SubjectSupports } from "@nopage/testkit/executor";
import type { SubjectDefinition } from "../subject/lab-subject.ts";
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

/** The strategies in C, each on every kind of memory that it shows; what they promise is what the model's do. */
export const twins: readonly SubjectDefinition[] = [
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
