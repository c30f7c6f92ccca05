import type { ReplayedStep, StateChange, StateKind } from "@nopage/testkit";
import { eventInWords } from "./event-words.ts";

/** What a thing of the machine is called. */
export function thingInWords(kind: StateKind, of: string): string {
  switch (kind) {
    case "area":
      return `area of ${of}`;
    case "entry":
      return `entry of ${of}`;
    case "tlb":
      return `TLB of ${of}`;
    case "gate":
      return `gate ${of}`;
    case "count":
      return of;
  }
}

/** A change as a sentence of its own: `entry of law at 0x7fffb000: frame 12, rw`. */
export function changeInWords({ kind, of, after }: StateChange): string {
  const none = kind === "area" || kind === "count" ? "gone" : "empty";
  return `${thingInWords(kind, of)}: ${after ?? none}`;
}

/** What happened in a step and what it changed, in words, nothing twice. */
export function happeningsInWords({ events, changes }: ReplayedStep): {
  readonly happened: readonly string[];
  readonly changed: readonly string[];
} {
  const kinds = new Set(changes.map(({ kind }) => kind));
  // The gate's own words say more than its state, the words for entries and areas less.
  const untold = events.filter(({ name }) => {
    if (name === "pte-set" || name === "pte-clear") return !kinds.has("entry");
    if (name === "area-open" || name === "area-close") return !kinds.has("area");
    return true;
  });
  const isGateTold = events.some(({ name }) => name.startsWith("gate-"));
  return {
    happened: untold.flatMap((event) => eventInWords(event) ?? []),
    changed: changes.filter(({ kind }) => kind !== "gate" || !isGateTold).map(changeInWords),
  };
}
