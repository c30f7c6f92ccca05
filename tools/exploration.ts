// How much a test explores: the unit suite takes a sample, the deep project all of it. The project says which, so the
// same file means the same in both.
import { inject } from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    readonly exploration: "sample" | "full";
  }
}

/** Shares no factor with 2 or 3, so that what a test derives from the seed by parity or by thirds is in the sample. */
const STRIDE = 5;

/** The seeds in [0, count): every one in the deep project, every fifth in the unit suite. */
export function seedsBelow(count: number): readonly number[] {
  const stride = inject("exploration") === "full" ? 1 : STRIDE;
  return Array.from({ length: Math.ceil(count / stride) }, (_, index) => index * stride);
}

/** How many of `count` programs a property is tried on: all in the deep project, one of so many in the unit suite. */
export function runsOf(count: number, oneOf = STRIDE): number {
  return inject("exploration") === "full" ? count : Math.ceil(count / oneOf);
}
