import type { GeometryName, MachineOptions } from "@nopage/core";
import type { LawCase } from "../laws/law.ts";

/**
 * The machine on which the orders of a program's steps are searched and replayed. Every thread has a CPU of its own, so that
 * nobody waits for a turn that a real machine would not make it wait for; so have interrupts, whose handlers meet any step of
 * any thread then. A program that says itself how many CPUs there are has them alone.
 */
export function searchedMachine({ machine }: LawCase, geometry: GeometryName): MachineOptions {
  const roomy = machine?.cpus === undefined ? { cpus: 9, interruptCpu: 8 } : {};
  return { ...roomy, ...machine, geometry };
}
