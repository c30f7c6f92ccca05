import type { LawReplay, StateChange, StateKind } from "@nopage/testkit";

/** A replay that somebody steps through. */
export interface Stepped {
  /** What is said of it above all steps, such as the law and the plugin. */
  readonly title: string;
  readonly replay: LawReplay;
  /** The positions of the two steps that met; undefined where there are none. */
  readonly met: readonly [number, number] | undefined;
}

/** Where somebody stands in it. */
export interface Standing {
  /** Steps that have been taken: 0 before the first one. */
  readonly taken: number;
  /** Lines of the machine's state that have been scrolled past. */
  readonly scrolled: number;
}

/** The start of every stepping: nothing has been taken. */
export const AT_START: Standing = { taken: 0, scrolled: 0 };

/** What a key does; the names are those of Node's `readline` for keys, and characters for others. */
const actions: Readonly<Record<string, (stepped: Stepped, taken: number) => number>> = {
  right: (_stepped, taken) => taken + 1,
  down: (_stepped, taken) => taken + 1,
  space: (_stepped, taken) => taken + 1,
  n: (_stepped, taken) => taken + 1,
  left: (_stepped, taken) => taken - 1,
  up: (_stepped, taken) => taken - 1,
  backspace: (_stepped, taken) => taken - 1,
  p: (_stepped, taken) => taken - 1,
  home: () => 0,
  end: ({ replay }) => replay.steps.length,
  f: ({ replay }) => replay.failedAt + 1,
  m: ({ met }, taken) => nextOf(met ?? [], taken),
};

/** Lines that are scrolled at a time. */
const SCROLL = 5;

/** Where a key leads to: `"over"` for one that ends it, the same standing for one that means nothing. */
export function afterKey(stepped: Stepped, standing: Standing, key: string): Standing | "over" {
  if (key === "q" || key === "escape" || key === "ctrl-c") return "over";
  if (key === "pagedown") return { ...standing, scrolled: standing.scrolled + SCROLL };
  if (key === "pageup") return { ...standing, scrolled: Math.max(0, standing.scrolled - SCROLL) };
  const action = Object.hasOwn(actions, key) ? actions[key] : undefined;
  if (action === undefined) return standing;
  const taken = action(stepped, standing.taken);
  return { ...standing, taken: Math.min(Math.max(0, taken), stepped.replay.steps.length) };
}

/** After the first of the two that met, and then after the second; round again from there. */
function nextOf(met: readonly number[], taken: number): number {
  const after = met.map((at) => at + 1);
  return after.find((one) => one > taken) ?? after[0] ?? taken;
}

/** One thing of the machine at some step. */
export interface ShownThing {
  readonly kind: StateKind;
  readonly of: string;
  /** How it is; undefined for what the step has taken away. */
  readonly is: string | undefined;
  /** How it was before the step, where the step has changed it; undefined for what was not there. */
  readonly was: string | undefined;
  readonly isChanged: boolean;
}

/** The state of the machine after so many steps, ordered by kind and name, with what the last one has changed marked. */
export function thingsAt({ start, steps }: LawReplay, taken: number): readonly ShownThing[] {
  const things = new Map<string, ShownThing>();
  const take = (changes: readonly StateChange[], isLast: boolean): void => {
    for (const [key, thing] of things) {
      if (thing.is === undefined) things.delete(key);
      else if (thing.isChanged) things.set(key, { ...thing, isChanged: false });
    }
    for (const { kind, of, before, after } of changes) {
      things.set(`${kind} ${of}`, { kind, of, is: after, was: before, isChanged: isLast });
    }
  };
  take(start, false);
  for (let at = 0; at < taken; at++) take(steps[at]?.changes ?? [], at === taken - 1);
  const rank = (kind: StateKind): number => kinds.indexOf(kind);
  return [...things.values()]
    .filter(({ is, isChanged }) => is !== undefined || isChanged)
    .sort(
      (one, other) =>
        rank(one.kind) - rank(other.kind) || one.of.localeCompare(other.of, "en", { numeric: true }),
    );
}

/** The kinds in the order in which they are shown. */
const kinds: readonly StateKind[] = ["gate", "area", "entry", "tlb", "count"];
