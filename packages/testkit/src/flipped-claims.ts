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
  const flipped = [...Object.entries(one), ...many].map(([field, value]) => ({
    claim: `${field}: ${Array.isArray(value) ? `[${value.join(", ")}]` : value}`,
    liar: { ...strategy, supports: { ...supports, [field]: value } },
  }));
  return [...flipped, ...concealed(strategy)];
}

/** The strategy with each kind of memory in turn said not to be shown, and nothing else said of it that would not fit. */
function concealed(strategy: MappingStrategy): readonly FlippedClaim[] {
  const { supports } = strategy;
  if (supports.backing.length < 2) return [];
  return supports.backing.map((kind) => {
    const without = (kinds: readonly BackingKind[]) => kinds.filter((other) => other !== kind);
    const backing = without(supports.backing);
    const countsPages = without(supports.countsPages);
    const privateWritable = without(supports.privateWritable);
    const holes = supports.holes && backing.includes("page-array");
    return {
      claim: `backing: [${backing.join(", ")}]`,
      liar: { ...strategy, supports: { ...supports, backing, countsPages, privateWritable, holes } },
    };
  });
}

/** The kinds with this one taken out, or put in. */
function turned(kinds: readonly BackingKind[], kind: BackingKind): readonly BackingKind[] {
  return kinds.includes(kind) ? kinds.filter((other) => other !== kind) : [...kinds, kind];
}
