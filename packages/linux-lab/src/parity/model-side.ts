import { type Contender, contendersOf, type Plugin } from "@nopage/testkit/executor";
import type { SubjectDefinition } from "../subject/lab-subject.ts";

/** What the model calls what stands behind a node of the driver. */
const memories: Readonly<Record<string, string>> = {
  window: "pfn-run",
  pages: "page-array",
  holes: "page-array with holes",
  linear: "linear",
  vmalloc: "vmalloc",
  coherent: "coherent",
};

/** The same on the model as a twin is in the guest; undefined for a subject that is no twin. */
export function modelSideOf(
  { name, trial = "mapping" }: Pick<SubjectDefinition, "name" | "trial">,
  plugins: readonly Plugin[],
): Contender | undefined {
  const [plugin, kind = ""] = name.split(".");
  const wanted = kind === "" ? name : `${plugin} on ${memories[kind] ?? ""}`;
  return plugins.flatMap(contendersOf).find((on) => on.name === wanted && on.trial === trial);
}
