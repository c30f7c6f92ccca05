import type { MappingStrategy } from "@nopage/core";

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
  const opposites = {
    populate: supports.populate === "eager" ? "lazy" : "eager",
    whileRevoked: supports.whileRevoked === "wait" ? "sigbus" : "wait",
    mremapGrow: !supports.mremapGrow,
    holes: !supports.holes,
    largeLeaves: !supports.largeLeaves,
    countsPages: !supports.countsPages,
    privateWritable: !supports.privateWritable,
  } as const;
  return Object.entries(opposites).map(([field, value]) => ({
    claim: `${field}: ${value}`,
    liar: { ...strategy, supports: { ...supports, [field]: value } },
  }));
}
