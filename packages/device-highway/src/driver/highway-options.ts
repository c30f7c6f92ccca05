import { type BackingKind, backingKinds, type MappingStrategy } from "@nopage/core/contract";
import { type HighwayCardOptions, settleCard } from "../card/card-options.ts";
import { shownKinds } from "./shown-memory.ts";

/**
 * Options of the driver. Those of the card are for the card that the driver plugs in when it finds none; a card that is
 * there already stays as it is.
 */
export interface HighwayOptions extends HighwayCardOptions {
  /** What mmap shows. Left out: the first of `shownKinds` that the strategy supports. */
  readonly backing?: BackingKind;
}

const known: readonly string[] = [
  "backing",
  "interfaces",
  "burstBytes",
  "burstNs",
  "multiplicationNs",
  "interrupts",
  "dmaBits",
] satisfies readonly (keyof HighwayOptions)[];

/**
 * Checks the options, whatever they are, and decides what mmap shows on this strategy.
 *
 * @throws RangeError that names what is wrong, its value and what was expected
 */
export function settleOptions(
  options: unknown,
  strategy: MappingStrategy,
): { readonly card: HighwayCardOptions; readonly backing: BackingKind } {
  const given = options ?? {};
  if (typeof given !== "object") throw new RangeError(`highway: options are ${String(given)}, not an object`);
  const strange = Object.keys(given).filter((key) => !known.includes(key));
  if (strange.length > 0) {
    throw new RangeError(`highway: no option ${strange.join(", ")}; the options are ${known.join(", ")}`);
  }
  const { backing, ...card } = given as HighwayOptions;
  settleCard(card);
  return { card, backing: chooseBacking(backing, strategy) };
}

/** The kind that the options insist on, if they do and it is one. */
export function wantedBacking(options: unknown): BackingKind | undefined {
  const wanted = (options as HighwayOptions | undefined)?.backing;
  return backingKinds.find((kind) => kind === wanted);
}

function chooseBacking(wanted: BackingKind | undefined, { name, supports }: MappingStrategy): BackingKind {
  if (wanted !== undefined && !backingKinds.includes(wanted)) {
    throw new RangeError(
      `highway: backing is ${JSON.stringify(wanted)}; expected ${backingKinds.join(", ")}`,
    );
  }
  const kind = wanted ?? shownKinds.find((candidate) => supports.backing.includes(candidate));
  if (kind !== undefined && supports.backing.includes(kind)) return kind;
  const shows = supports.backing.join(", ");
  throw new RangeError(`highway: backing is ${wanted ?? "not given"}, but ${name} shows only: ${shows}`);
}
