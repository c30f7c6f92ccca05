import type { AnyLaw } from "../law.ts";
import { argumentLaws } from "./arguments.ts";
import { hookLaws } from "./hook.ts";

/** A. The arguments of mmap and the driver's mmap hook. */
export const mmapLaws: readonly AnyLaw[] = [...argumentLaws, ...hookLaws].toSorted((one, other) =>
  one.id.localeCompare(other.id),
);
