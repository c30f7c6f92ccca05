import type { LawCase } from "@nopage/testkit/executor";

type MachineOptions = NonNullable<LawCase["machine"]>;

/** What makes no difference that a program could see, or is true of every guest. */
const immaterial: readonly (keyof MachineOptions)[] = [
  "cpus",
  "interruptCpu",
  "ramPages",
  "stepLimit",
  "eventLog",
  "sanitizers",
  "reports",
  "checkAccesses",
  "tlbEntries",
  // The executor sets it for the program's processes.
  "lockLimitPages",
];

/** What a real machine is like, as far as programs ask for it. */
const real: MachineOptions = {
  geometry: "x86-64",
  coherentMemory: "with-page",
  reservedPages: "6.1",
  dataCache: "physically-indexed",
  cacheFlushes: "on",
};

/** Why a program cannot be run on a real machine, which is not the one that it asks for; undefined where it can. */
export function whyNoSuchMachine(wanted: MachineOptions = {}): string | undefined {
  const [misfit] = (Object.entries(wanted) as [keyof MachineOptions, unknown][]).filter(
    ([option, value]) => !immaterial.includes(option) && real[option] !== value,
  );
  if (misfit === undefined) return undefined;
  const [option, value] = misfit;
  return `it needs a machine that no guest is: ${option} ${String(value)}`;
}
