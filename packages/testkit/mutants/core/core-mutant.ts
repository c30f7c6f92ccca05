import type { DeviceMirror, MachineOptions, MappingStrategy, PinningPolicy } from "@nopage/core";
import type { Mutant } from "../mutant.ts";
import { plain, spoiled } from "../support/placed.ts";
import type { Tampering } from "./tamper.ts";

/** What tells one wrong core from the next. */
type Story = Pick<Mutant, "name" | "bug" | "source" | "caughtBy"> &
  Partial<Pick<Mutant, "schedule" | "sanitizers">>;

/** A core in which one thing was exchanged, under a plugin that is right. */
export function wrongCore(
  plugin: MappingStrategy | DeviceMirror | PinningPolicy,
  tampering: Tampering,
  story: Story,
): Mutant {
  return {
    kind: "core",
    schedule: "sequential",
    ...story,
    wrong: spoiled(plugin, tampering),
    right: plain(plugin),
  };
}

/** A machine that is set up by other rules than a law asks for. */
export function wrongMachine(
  plugin: MappingStrategy | DeviceMirror | PinningPolicy,
  machine: MachineOptions,
  story: Story,
): Mutant {
  return {
    kind: "core",
    schedule: "sequential",
    ...story,
    wrong: { ...plain(plugin), machine },
    right: plain(plugin),
  };
}
