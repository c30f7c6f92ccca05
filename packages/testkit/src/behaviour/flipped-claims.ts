import type { BackingKind, MappingStrategy } from "@nopage/core";

/** The same strategy with one claim about itself turned into its opposite. */
export interface FlippedClaim {
  /** Such as `mremapGrow: false`. */
  readonly claim: string;
  readonly liar: MappingStrategy;
}

/**
 * A strategy with each of its claims turned round in turn. To claim less than the truth is as wrong as to claim more, so
 * every one of them has to be caught.
 */
export function flippedClaims(strategy: MappingStrategy): readonly FlippedClaim[] {
  const { supports } = strategy;
  const one = {
    populate: supports.populate === "eager" ? "lazy" : "eager",
    whileRevoked: supports.whileRevoked === "wait" ? "sigbus" : "wait",
    mremapGrow: !supports.mremapGrow,
    holes: !supports.holes,
    largeLeaves: !supports.largeLeaves,
  } as const;
  // What is said of each kind of memory is turned round for one kind at a time.
  const many = (["countsPages", "privateWritable"] as const).flatMap((field) =>
    supports.backing.map((kind) => [field, turned(supports[field], kind)] as const),
  );
  return [...Object.entries(one), ...many].map(([field, value]) => ({
    claim: `${field}: ${Array.isArray(value) ? `[${value.join(", ")}]` : value}`,
    liar: { ...strategy, supports: { ...supports, [field]: value } },
  }));
}

/** The kinds with this one taken out, or put in. */
function turned(kinds: readonly BackingKind[], kind: BackingKind): readonly BackingKind[] {
  return kinds.includes(kind) ? kinds.filter((other) => other !== kind) : [...kinds, kind];
}
