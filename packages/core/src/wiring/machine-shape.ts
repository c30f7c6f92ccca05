import type { MachineOptions } from "../machine-options.ts";
import { MOST_RAM_BYTES } from "../memory/frame-store.ts";
import { type GeometryName, geometries } from "../mmu/geometry.ts";
import { nearestName } from "./nearest.ts";
import { anyOf, type Problem } from "./problem.ts";
import { isRecord, objectWith, oneOf, powerOfTwo, type Shape, wholeNumber } from "./shape.ts";

const any = Number.MAX_SAFE_INTEGER;

/**
 * What each option of a machine may be. The machine checks them too, and stops at the first; here they are known one
 * by one, so that all that is wrong can be said at once. A test holds the two together.
 */
export const machineShape = {
  geometry: oneOf(Object.keys(geometries)),
  cpus: wholeNumber(1, 31),
  interruptCpu: wholeNumber(0, 30),
  ramPages: wholeNumber(8, 2 ** 31),
  pagelessPages: wholeNumber(0, 2 ** 31),
  coherentMemory: oneOf(["with-page", "without-page"]),
  reservedPages: oneOf(["6.1", "2.6.11", "2.4"]),
  chooser: objectWith("a chooser, with its function choose", ["choose"]),
  stepLimit: wholeNumber(1, any),
  eventLog: oneOf(["on", "off"]),
  sanitizers: oneOf(["cheap", "all"]),
  reports: oneOf(["full", "brief"]),
  checkAccesses: oneOf(["on", "off"]),
  dataCache: oneOf(["physically-indexed", "virtually-indexed"]),
  cacheFlushes: oneOf(["on", "left-out"]),
  tlbEntries: powerOfTwo(65_536),
  maxAreas: wholeNumber(1, any),
  lockLimitPages: wholeNumber(0, any),
  allocations: objectWith("an allocation gate, with its function mayAllocate", ["mayAllocate"]),
} satisfies Record<keyof MachineOptions, Shape>;

/** Everything that is wrong with the options of a machine. */
export function checkMachine(options: unknown): readonly Problem[] {
  if (options === undefined) return [];
  if (!isRecord(options)) {
    return [{ path: "machine", value: options, expected: "an object with options", nearest: undefined }];
  }
  const known = Object.keys(machineShape);
  const problems: Problem[] = [];
  for (const [key, value] of Object.entries(options)) {
    const shape: Shape | undefined = Object.hasOwn(machineShape, key)
      ? machineShape[key as keyof MachineOptions]
      : undefined;
    const path = `machine.${key}`;
    if (shape === undefined) {
      problems.push({
        path,
        value,
        expected: `another key: ${anyOf(known)}`,
        nearest: nearestName(key, known),
      });
    } else if (value !== undefined && !shape.accepts(value)) {
      problems.push({ path, value, expected: shape.expected, nearest: shape.nearest(value) });
    }
  }
  return problems.length > 0 ? problems : checkTogether(options as MachineOptions);
}

/** What is wrong with options that are right one by one. */
function checkTogether({
  geometry,
  cpus = 2,
  interruptCpu = 0,
  ramPages,
  pagelessPages,
  coherentMemory,
}: MachineOptions): readonly Problem[] {
  const problems: Problem[] = [];
  if (interruptCpu >= cpus) {
    problems.push({
      path: "machine.interruptCpu",
      value: interruptCpu,
      expected: `one of the machine's CPUs, a whole number from 0 to ${cpus - 1}`,
      nearest: String(cpus - 1),
    });
  }
  if (coherentMemory === "without-page" && (pagelessPages ?? 0) === 0) {
    problems.push({
      path: "machine.pagelessPages",
      value: pagelessPages,
      expected: "a whole number of at least 1, because coherentMemory is without-page",
      nearest: undefined,
    });
  }
  const { pageSize, name } = geometries[(geometry ?? "x86-64") as GeometryName];
  const most = Math.floor(MOST_RAM_BYTES / pageSize);
  const pages = (ramPages ?? 0) + (pagelessPages ?? 0);
  if (pages > most) {
    problems.push({
      path: ramPages === undefined ? "machine.pagelessPages" : "machine.ramPages",
      value: ramPages ?? pagelessPages,
      expected: `at most ${most} pages of RAM in all, which is 2 GiB on ${name}`,
      nearest: String(Math.max(8, most - (pagelessPages ?? 0))),
    });
  }
  return problems;
}
