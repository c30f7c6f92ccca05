import type { Stage } from "../law.ts";

/** Why a law about mappings of bare frames does not apply. */
export function countsItsPages({ subject: { supports } }: Stage): string | undefined {
  return supports.countsPages ? "it maps counted pages" : undefined;
}

/** Why a law about mappings of counted pages does not apply. */
export function countsNothing({ subject: { supports } }: Stage): string | undefined {
  return supports.countsPages ? undefined : "it maps no counted pages";
}
